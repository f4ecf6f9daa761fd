/** What is on this screen alone: zoom, grid, selection, the edit cursor, what is open. */

import { PPQ } from "../../client/schema.ts";
import { Store } from "./store.ts";

export type Panel = "notes" | "history" | "trash";
export type Dialog = "share" | "shortcuts" | "projects" | "people" | "profile";
export type Grid = number | "bar";
/** Where the next thing lands: a tick on a track. */
export interface Place { readonly tick: number; readonly track: string | null }

export interface Ui {
  readonly selected: readonly string[];
  readonly place: Place;
  /** Pixels per quarter note. */
  readonly beat: number;
  readonly grid: Grid;
  readonly panel: Panel | null;
  readonly dialog: Dialog | null;
  /** The track, clip or marker whose name is being typed. */
  readonly naming: string | null;
  readonly thread: string | null;
  readonly notice: string | null;
  readonly solo: readonly string[];
}

export const ZOOM = { min: 3, max: 160 } as const;
export const GRIDS: readonly (readonly [Grid, string])[] = [
  ["bar", "Bar"], [PPQ, "1/4"], [PPQ / 2, "1/8"], [PPQ / 4, "1/16"], [PPQ / 3, "1/8 triplet"], [0, "Off"],
];

export const newUi = (): Store<Ui> =>
  new Store<Ui>({
    selected: [], place: { tick: 0, track: null }, beat: 24, grid: PPQ, panel: null, dialog: null, naming: null,
    thread: null, notice: null, solo: [],
  });
