/** What split made of one clip: parts of one lineage in one place never sound over each other. */

export interface Part { readonly id: string; readonly track: string; readonly asset: string; readonly take: string; readonly pos: number; readonly in: number; readonly out: number }

const kin = (part: Part): string => JSON.stringify([part.track, part.asset, part.take, part.pos]);
const byIn = (a: Part, b: Part): number => a.in - b.in || (a.id < b.id ? -1 : 1);

/** Where each part really ends: at its own `out` or where the next of its lineage begins. */
export function ends(parts: readonly Part[]): ReadonlyMap<string, number> {
  const result = new Map<string, number>();
  for (const family of Map.groupBy(parts, kin).values()) {
    family.sort(byIn).forEach((part, at) => result.set(part.id, Math.min(part.out, family[at + 1]?.in ?? Infinity)));
  }
  return result;
}
