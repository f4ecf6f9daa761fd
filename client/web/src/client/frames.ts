/** The few frames of the y-websocket dialect that this client looks at itself. */

import * as decoding from "lib0/decoding";

export type Frame =
  | { readonly kind: "step1"; readonly vector: Uint8Array }
  | { readonly kind: "step2" | "update"; readonly update: Uint8Array }
  | { readonly kind: "awareness"; readonly entries: readonly AwarenessEntry[] }
  | { readonly kind: "denied"; readonly reason: string }
  | { readonly kind: "other" };

export interface AwarenessEntry { readonly client: number; readonly state: unknown }

const SYNC = 0;
const AWARENESS = 1;
const AUTH = 2;

/** Reads one frame; a type it does not know is "other", a broken frame throws. */
export function readFrame(bytes: Uint8Array): Frame {
  const decoder = decoding.createDecoder(bytes);
  switch (decoding.readVarUint(decoder)) {
    case SYNC:
      return readSync(decoder);
    case AWARENESS:
      return { kind: "awareness", entries: readAwareness(decoding.readVarUint8Array(decoder)) };
    case AUTH:
      return decoding.readVarUint(decoder) === 0 ? { kind: "denied", reason: decoding.readVarString(decoder) } : { kind: "other" };
    default:
      return { kind: "other" };
  }
}

function readSync(decoder: decoding.Decoder): Frame {
  const step = decoding.readVarUint(decoder);
  if (step === 0) return { kind: "step1", vector: decoding.readVarUint8Array(decoder) };
  return { kind: step === 1 ? "step2" : "update", update: decoding.readVarUint8Array(decoder) };
}

function readAwareness(bytes: Uint8Array): readonly AwarenessEntry[] {
  const decoder = decoding.createDecoder(bytes);
  return Array.from({ length: decoding.readVarUint(decoder) }, () => {
    const client = decoding.readVarUint(decoder);
    decoding.readVarUint(decoder);
    return { client, state: JSON.parse(decoding.readVarString(decoder)) as unknown };
  });
}

/** An update that says nothing: no structs, no deletions. It is never acknowledged. */
export const isEmptyUpdate = (update: Uint8Array): boolean => update.length === 2 && update[0] === 0 && update[1] === 0;

export const sameBytes = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && a.every((byte, at) => byte === b[at]);
