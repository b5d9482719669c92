/** The invented people, as their operator's CRM export has them: for lookups over the bid port. */
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { lookUp, world } from "./server";

const ASKED_AT_ONCE = 16;

/** The devices of customers of those ages. A few rows are dirty on purpose: what is no device's identifier is left out. */
async function devices(from: number, to: number): Promise<string[]> {
  const table = (await promisify(gunzip)(await readFile(`${world}/crm.csv.gz`))).toString("utf8");
  const [head = "", ...rows] = table.split(/\r?\n/);
  const columns = head.replace(/^\uFEFF/, "").split(";");
  const at = { age: columns.indexOf("age"), ifa: columns.indexOf("ifa") };
  return rows
    .map((row) => row.split(";"))
    .filter((row) => Number(row[at.age]) >= from && Number(row[at.age]) <= to)
    .map((row) => row[at.ifa] ?? "")
    .filter((ifa) => /^[0-9a-f-]{36}$/.test(ifa));
}

/** A question to the bid door about a device, and the audiences that it was answered with. */
export interface Asked {
  question: string;
  audiences: string[];
}

export async function ask(question: string): Promise<Asked> {
  return { question, audiences: (await lookUp(question)).audiences };
}

/** Who of those ages is answered with an audience now. */
export async function inAudience(audience: string, from: number, to: number): Promise<Asked[]> {
  const questions = (await devices(from, to)).map((ifa) => JSON.stringify({ ifa }));
  const found: Asked[] = [];
  for (let at = 0; at < questions.length; at += ASKED_AT_ONCE) {
    const asked = await Promise.all(questions.slice(at, at + ASKED_AT_ONCE).map(ask));
    found.push(...asked.filter(({ audiences }) => audiences.includes(audience)));
  }
  return found;
}
