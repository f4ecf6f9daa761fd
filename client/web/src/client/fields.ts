/** What a field may hold, and what a reader sees when it holds something else: the same rules as the server's repair. */

import type { Json } from "./schema.ts";

/** The value as a reader sees it; `undefined` for an entry that cannot be read at all. */
export type Spec<T> = (value: Json | undefined, id: string) => T;

export interface Bounds { readonly min: number; readonly max: number }

const isNumber = (value: Json | undefined): value is number => typeof value === "number" && Number.isFinite(value);
export const isWhole = (value: Json | undefined): value is number => isNumber(value) && Number.isInteger(value);
const isList = (value: Json | undefined): value is readonly Json[] => Array.isArray(value);
const halfAway = (value: number): number => Math.sign(value) * Math.floor(Math.abs(value) + 0.5) + 0;

export const number = (min: number, max: number, otherwise: number): Spec<number> => (value) =>
  isNumber(value) ? Math.min(max, Math.max(min, value)) : otherwise;

export const integer = (min: number, max: number, otherwise: number): Spec<number> => (value) =>
  isNumber(value) ? halfAway(Math.min(max, Math.max(min, value))) : otherwise;

/** What is no number reads as null, not as another number. */
export const integerOrNull = (min: number, max: number): Spec<number | null> => (value, id) =>
  isNumber(value) ? integer(min, max, 0)(value, id) : null;

export const flag = (otherwise: boolean): Spec<boolean> => (value) => (typeof value === "boolean" ? value : otherwise);

export const choice = <T extends string | number>(values: readonly T[], otherwise: T): Spec<T> => (value) =>
  values.find((allowed) => allowed === value) ?? otherwise;

/** At most `units` UTF-16 units; a code point is never cut. */
export const shortened = (text: string, units: number): string => {
  const cut = text.slice(0, units);
  return cut.length < text.length && /[\ud800-\udbff]$/.test(cut) ? cut.slice(0, -1) : cut;
};

export const string = (units: number, otherwise: (id: string) => string): Spec<string> => (value, id) =>
  typeof value === "string" ? shortened(value, units) : otherwise(id);

/** A wrong value of a nullable text reads as null, not as another text. */
export const stringOrNull = (units: number): Spec<string | null> => (value) => (typeof value === "string" ? shortened(value, units) : null);

export const pattern = <T extends string | null>(regex: RegExp, otherwise: (id: string) => T): Spec<string | T> => (value, id) =>
  typeof value === "string" && regex.test(value) ? value : otherwise(id);

/** Values that only make sense together: allowed as a whole, or the default as a whole. */
export const leaf = <T>(allowed: (value: Json) => boolean, otherwise: T): Spec<T> => (value) =>
  value !== undefined && allowed(value) ? (value as unknown as T) : otherwise;

/** A list whose cells are read one by one; anything shorter cannot be read. */
export const row = <T extends readonly number[]>(...cells: { readonly [at in keyof T]: Spec<T[at]> }): Spec<T | undefined> => (value, id) =>
  isList(value) && value.length >= cells.length ? (cells.map((cell, at) => cell(value[at], id)) as unknown as T) : undefined;

export const isStamp = (value: Json): boolean =>
  value === null || (isList(value) && value.length === 2 && typeof value[0] === "string" && value[0].length <= 64 && isWhole(value[1]) && value[1] >= 0);

export const isLoop = (value: Json): boolean =>
  isList(value) && value.length === 3 && value.every(isWhole) && (value[0] === 0 || value[0] === 1) && 0 <= (value[1] as number) && (value[1] as number) < (value[2] as number);

export const isSignatureLeaf = (value: Json): boolean =>
  isList(value) && value.length === 2 && value.every(isWhole) && (value[0] as number) >= 1 && (value[0] as number) <= 32 && [1, 2, 4, 8, 16, 32].includes(value[1] as number);

export const isAnchor = (value: Json): boolean => {
  if (!isList(value) || (value.length !== 2 && value.length !== 3)) return false;
  const [kind, first, second] = value;
  if (kind === "c") return value.length === 3 && typeof first === "string" && isWhole(second);
  const end = second ?? null;
  return kind === "t" && isWhole(first) && first >= 0 && (end === null || (isWhole(end) && end > first));
};
