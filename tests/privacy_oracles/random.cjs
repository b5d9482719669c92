// Random numbers that are the same on every run, and bits as text.
"use strict";

/** Mulberry32. */
function random(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

class Chance {
  constructor(seed) {
    this.next = random(seed);
  }
  /** An integer, both ends included. */
  int(from, to) {
    return from + Math.floor(this.next() * (to - from + 1));
  }
  yes(probability) {
    return this.next() < probability;
  }
  pick(list) {
    return list[this.int(0, list.length - 1)];
  }
}

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const bits = (value, width) => value.toString(2).padStart(width, "0");

/** Bits as base64url, filled up to bytes with zeros. */
function base64url(text) {
  text += "0".repeat((8 - (text.length % 8)) % 8);
  text += "0".repeat((6 - (text.length % 6)) % 6);
  return text.replace(/.{6}/g, (six) => ALPHABET[parseInt(six, 2)]);
}

/** One thing done to a string that makes it wrong, or only different. */
function damaged(chance, text) {
  const at = chance.int(0, text.length - 1);
  const with_ = (part) => text.slice(0, at) + part + text.slice(at + 1);
  switch (chance.int(0, 4)) {
    case 0:
      return text.slice(0, at);
    case 1:
      return with_(chance.pick([..." +/=.~!é"]));
    case 2:
      return text.slice(0, at) + chance.pick([...ALPHABET]) + text.slice(at);
    default:
      return with_(chance.pick([...ALPHABET]));
  }
}

module.exports = { ALPHABET, Chance, bits, base64url, damaged };
