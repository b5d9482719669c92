/**
 * An identifier that somebody types -> what is sent. E-mail addresses and phone numbers are normalised and hashed here as UID2
 * does it (SHA-256, Base64), with the same rules as `src/collect/identifiers.rs`, so that they never leave the browser as they
 * are. `crypto.subtle` is not there over plain HTTP.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import type { Schemas } from "../api/client";

export type Eid = Schemas["Eid"];

/** What is wrong with what was typed. */
export type Unfit = "empty" | "long" | "source" | "email" | "phone" | "ifa" | "zeroIfa";

export type Read = { eid: Eid; unfit?: never } | { unfit: Unfit; eid?: never };

/** A longer identifier is a mistake: a token, a whole cookie jar. */
const MOST_BYTES = 512;
/** 32 bytes in Base64: the hash itself, from somebody who has no more than that. */
const HASH = /^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$/;
const IFA = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

export function readIdentifier(source: string, text: string): Read {
  const type = source.trim().toLowerCase();
  const written = text.trim();
  if (type === "") return { unfit: "source" };
  if (written === "") return { unfit: "empty" };
  if (new TextEncoder().encode(written).length > MOST_BYTES) return { unfit: "long" };
  const uid = canonical(type, written);
  return typeof uid === "string" ? { eid: { source: type, uid } } : uid;
}

function canonical(type: string, text: string): string | { unfit: Unfit } {
  switch (type) {
    case "email": {
      if (HASH.test(text)) return text;
      const email = normalisedEmail(text);
      return email === undefined ? { unfit: "email" } : hashed(email);
    }
    case "phone": {
      if (HASH.test(text)) return text;
      const phone = normalisedPhone(text);
      return phone === undefined ? { unfit: "phone" } : hashed(phone);
    }
    case "ifa":
      if (!IFA.test(text)) return { unfit: "ifa" };
      return /[1-9a-f]/i.test(text) ? text.toLowerCase() : { unfit: "zeroIfa" };
    default:
      return text;
  }
}

/** Letter by letter: a whole word's lower case differs in Greek, and with it the hash. */
function lower(text: string): string {
  return [...text].map((letter) => letter.toLowerCase()).join("");
}

/** Lower case; for gmail.com only, the local part without dots and without its `+suffix`. */
function normalisedEmail(text: string): string | undefined {
  const [local = "", domain = "", ...more] = text.split("@");
  if (local === "" || domain === "" || more.length > 0 || /\s/.test(text)) return undefined;
  if (domain.toLowerCase() !== "gmail.com") return `${lower(local)}@${lower(domain)}`;
  const bare = lower((local.split("+")[0] ?? "").replaceAll(".", ""));
  return bare === "" ? undefined : `${bare}@gmail.com`;
}

/** E.164. A number without its country's code is refused: guessing the country would mean somebody else. */
function normalisedPhone(text: string): string | undefined {
  const number = text.replaceAll(/[ \-.()\u00A0]/g, "").replace(/^00/, "+");
  return /^\+[1-9]\d{6,14}$/.test(number) ? number : undefined;
}

function hashed(text: string): string {
  return btoa(String.fromCharCode(...sha256(new TextEncoder().encode(text))));
}
