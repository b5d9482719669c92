import { Blob as NodeBlob } from "node:buffer";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { beginning, fields, previewOf } from "./preview";

describe("fields of a line", () => {
  test("may be quoted, with commas and quotes in them", () => {
    expect(fields('crm,"a, ""b""",')).toEqual(["crm", 'a, "b"', ""]);
  });
});

describe("the preview of a CSV", () => {
  test("knows the columns the server knows, whatever their case", () => {
    const preview = previewOf("\uFEFFSource,UID,ttl_minutes\r\ncrm,ann,0\r\n");
    expect(preview.columns.map((column) => column.role)).toEqual(["type", "id", "ttl"]);
    expect(preview.rows).toEqual([["crm", "ann", "0"]]);
    expect(preview.wonders).toEqual([]);
  });

  test("takes another name for a type of identifiers", () => {
    const preview = previewOf("crm,value\nann,3\n");
    expect(preview.columns.map((column) => column.role)).toEqual(["typed", "ignored"]);
    expect(preview.wonders).toEqual([]);
  });

  test("asks for the type where no column says it", () => {
    expect(previewOf("id\nann\n").wonders).toEqual(["needsType"]);
  });

  test("wonders about files that cannot be meant", () => {
    expect(previewOf("remove,segment\n1,vip\n").wonders).toEqual(["noIds"]);
    expect(previewOf("uid;source\nann;crm\n").wonders).toEqual(["separator"]);
    expect(previewOf("uid,source\nann\n").wonders).toEqual(["broken"]);
    expect(previewOf("uid,source\n").wonders).toEqual(["empty"]);
    expect(previewOf(" \n").wonders).toEqual(["empty"]);
    expect(previewOf("PK\u0003\0\0\0").wonders).toEqual(["binary"]);
  });

  test("shows a few rows only", () => {
    expect(previewOf(`uid,source\n${"ann,crm\n".repeat(99)}`).rows).toHaveLength(5);
  });
});

describe("the preview of JSON lines", () => {
  test("has a column for every field, in the order they come", () => {
    const preview = previewOf('{"source":"crm","uid":"ann"}\n{"uid":7,"source":"crm","ttl_minutes":60}\n');
    expect(preview.format).toBe("ndjson");
    expect(preview.columns.map((column) => column.name)).toEqual(["source", "uid", "ttl_minutes"]);
    expect(preview.rows).toEqual([
      ["crm", "ann", ""],
      ["crm", "7", "60"],
    ]);
    expect(preview.wonders).toEqual([]);
  });

  test("knows the shapes of others, and says what is no JSON", () => {
    const xandr = previewOf('{"external_id":"x","segments":[{"code":"vip"}]}\nnonsense\n');
    expect(xandr.columns.map((column) => column.role)).toEqual(["typed", "list"]);
    expect(xandr.wonders).toEqual(["broken"]);
  });

  test("asks for the type where a line does not say it", () => {
    expect(previewOf('{"uid":"ann"}').wonders).toEqual(["needsType"]);
    expect(previewOf('{"remove":true}').wonders).toEqual(["noIds"]);
  });
});

describe("the beginning of a file", () => {
  // jsdom's files have no streams: what is read of them is tested with node's.
  const file = (bytes: Uint8Array | string) => new NodeBlob([bytes]) as unknown as Blob;

  test("is opened where it is gzipped", async () => {
    expect(await beginning(file(gzipSync("uid,source\nann,crm\n")))).toBe("uid,source\nann,crm\n");
  });

  test("ends at the end of a line in a long file", async () => {
    const text = await beginning(file("uid,source\n".repeat(20_000)));
    expect(text.length).toBeLessThan(70_000);
    expect(text.endsWith("uid,source")).toBe(true);
  });
});
