/** Edits of the project's musical settings: tempo, signature, loop. */

import { newId } from "../ids.ts";
import { BPM, DENOMINATORS, clamp, type Loop, type Signature } from "../schema.ts";
import { put, write, type Pen } from "./pen.ts";

export function setBpm(pen: Pen, bpm: number): void {
  if (Number.isFinite(bpm)) write(pen, () => put(pen.doc.getMap("transport"), { bpm: clamp(bpm, BPM) }));
}

export function isSignature(num: number, den: number): boolean {
  return Number.isInteger(num) && num >= 1 && num <= 32 && DENOMINATORS.some((allowed) => allowed === den);
}

export function setSignature(pen: Pen, [num, den]: Signature): void {
  if (isSignature(num, den)) write(pen, () => put(pen.doc.getMap("transport"), { signature: [num, den] }));
}

export function setLoop(pen: Pen, [on, start, end]: Loop): void {
  const from = Math.max(0, Math.round(start));
  const to = Math.max(from + 60, Math.round(end));
  write(pen, () => put(pen.doc.getMap("transport"), { loop: [on === 0 ? 0 : 1, from, to] }));
}

export function addTempoPoint(pen: Pen, tick: number, bpm: number, curve: 0 | 1): string {
  const id = newId("p", pen.below);
  const leaf = [Math.max(0, Math.round(tick)), clamp(bpm, BPM), curve];
  write(pen, () => put(pen.doc.getMap("tempo"), { [id]: leaf }));
  return id;
}

export function deleteTempoPoint(pen: Pen, id: string): void {
  write(pen, () => pen.doc.getMap("tempo").delete(id));
}
