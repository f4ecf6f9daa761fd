/** Reads one field of an entity; what is missing or of the wrong kind reads as its default. */

import type { Entity, Json } from "./schema.ts";

export const isEntity = (value: Json | undefined): value is Entity => typeof value === "object" && value !== null && !Array.isArray(value);
export const num = (value: Json | undefined, otherwise: number): number => (typeof value === "number" && Number.isFinite(value) ? value : otherwise);
export const text = (value: Json | undefined, otherwise: string): string => (typeof value === "string" ? value : otherwise);
export const flag = (value: Json | undefined): boolean => value === true;
export const textOrNull = (value: Json | undefined): string | null => (typeof value === "string" ? value : null);
export const isLive = (entity: Entity): boolean => (entity["deleted"] ?? null) === null;

export function entities(root: { readonly [id: string]: Json }): (readonly [string, Entity])[] {
  return Object.entries(root).filter((entry): entry is [string, Entity] => isEntity(entry[1]));
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** By key, ties by id; both as plain text. */
export function sorted<T extends { readonly id: string }>(items: readonly T[], key: (item: T) => number | string): T[] {
  return items.toSorted((a, b) => {
    const [x, y] = [key(a), key(b)];
    return (typeof x === "number" && typeof y === "number" ? x - y : compare(String(x), String(y))) || compare(a.id, b.id);
  });
}
