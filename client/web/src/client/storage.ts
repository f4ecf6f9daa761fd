/** The copy on this device: edits made offline survive a reload. One store per project, epoch, person and draft. */

import { IndexeddbPersistence, clearDocument } from "y-indexeddb";
import type * as Y from "yjs";
import type { Memory } from "./memory.ts";

const OPENING_MS_MAX = 3000;

export interface Place { readonly project: string; readonly epoch: number; readonly user: string }

const draftsKey = ({ project, user }: Place): string => `backline.drafts.${project}.${user}`;
const epochsKey = ({ project, user }: Place): string => `backline.epochs.${project}.${user}`;

function list<T>(memory: Memory, key: string): readonly T[] {
  return JSON.parse(memory.get(key) ?? "[]") as T[];
}

function storeName(place: Place, memory: Memory): string {
  const beginning = `backline.${place.project}.${place.epoch}.${place.user}.`;
  return `${beginning}${list<string>(memory, draftsKey(place)).filter((name) => name.startsWith(beginning)).length}`;
}

/** From here on the project opens into an empty store; what was there, and the server would not take, stays as a draft. */
export function setAside(place: Place, memory: Memory): string {
  const name = storeName(place, memory);
  memory.set(draftsKey(place), JSON.stringify([...list<string>(memory, draftsKey(place)), name]));
  return name;
}

/** Copies of earlier epochs that are on this device still. */
export function leftBehind(place: Place, memory: Memory): readonly Place[] {
  return list<number>(memory, epochsKey(place)).filter((epoch) => epoch !== place.epoch).map((epoch) => ({ ...place, epoch }));
}

export interface Copy { readonly close: () => Promise<void> }

/** Fills the document from the device. A browser without storage works on, it only forgets at the reload. */
export async function openCopy(place: Place, doc: Y.Doc, memory: Memory): Promise<Copy> {
  if (typeof indexedDB === "undefined") return { close: () => Promise.resolve() };
  const epochs = list<number>(memory, epochsKey(place));
  if (!epochs.includes(place.epoch)) memory.set(epochsKey(place), JSON.stringify([...epochs, place.epoch]));
  const persistence = new IndexeddbPersistence(storeName(place, memory), doc);
  const late = new Promise((resolve) => setTimeout(resolve, OPENING_MS_MAX));
  await Promise.race([persistence.whenSynced, late]);
  return { close: async () => void (await persistence.destroy()) };
}

/** Fills the document with all that the device has, however long it takes. */
export async function readCopy(place: Place, doc: Y.Doc, memory: Memory): Promise<void> {
  const persistence = new IndexeddbPersistence(storeName(place, memory), doc);
  await persistence.whenSynced;
  await persistence.destroy();
}

/** The copy of an epoch is of no use any more; `erase` it, or leave it where it lies. */
export function letGo(place: Place, memory: Memory, erase: boolean): void {
  const name = storeName(place, memory);
  memory.set(epochsKey(place), JSON.stringify(list<number>(memory, epochsKey(place)).filter((epoch) => epoch !== place.epoch)));
  if (erase) void clearDocument(name).catch(() => undefined);
}
