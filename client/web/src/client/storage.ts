/** The copy on this device: edits made offline survive a reload. One store per project, epoch, person and draft. */

import { IndexeddbPersistence, clearDocument } from "y-indexeddb";
import type * as Y from "yjs";

const OPENING_MS_MAX = 3000;

export interface Place { readonly project: string; readonly epoch: number; readonly user: string }

const draftKey = (place: Place): string => `backline.drafts.${place.project}.${place.user}`;
const epochKey = (project: string): string => `backline.epoch.${project}`;

/** Names of copies put aside because the server would not take them. */
export function drafts(place: Place, storage: Storage = localStorage): readonly string[] {
  return JSON.parse(storage.getItem(draftKey(place)) ?? "[]") as string[];
}

function storeName(place: Place, storage: Storage): string {
  return `backline.${place.project}.${place.epoch}.${place.user}.${drafts(place, storage).length}`;
}

/** From here on the project opens into an empty store; what was there stays as a draft. */
export function setAside(place: Place, storage: Storage = localStorage): string {
  const name = storeName(place, storage);
  storage.setItem(draftKey(place), JSON.stringify([...drafts(place, storage), name]));
  return name;
}

export function rememberEpoch(project: string, epoch: number, storage: Storage = localStorage): number | null {
  const before = storage.getItem(epochKey(project));
  storage.setItem(epochKey(project), String(epoch));
  return before === null ? null : Number(before);
}

export interface Copy { readonly close: () => Promise<void> }

/** Fills the document from the device. A browser without storage works on, it only forgets at the reload. */
export async function openCopy(place: Place, doc: Y.Doc, storage: Storage = localStorage): Promise<Copy> {
  if (typeof indexedDB === "undefined") return { close: () => Promise.resolve() };
  const persistence = new IndexeddbPersistence(storeName(place, storage), doc);
  const late = new Promise((resolve) => setTimeout(resolve, OPENING_MS_MAX));
  await Promise.race([persistence.whenSynced, late]);
  return { close: async () => void (await persistence.destroy()) };
}

export const forget = (name: string): Promise<void> => clearDocument(name);
