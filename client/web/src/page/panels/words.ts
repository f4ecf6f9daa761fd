/** The paths of a change in words people use. */

import type { Canonical, Root } from "../../client/schema.ts";

const FIELDS: { readonly [key: string]: string } = {
  bpm: "tempo", signature: "time signature", loop: "loop", gain_db: "gain", pan: "pan", mute: "mute", name: "name", color: "colour", order: "order",
  pos: "position", track: "track", in: "start", out: "end", deleted: "deletion", body: "text", resolved: "resolved", tick: "position", label: "name",
};

const NOUNS: { readonly [root: string]: string } = { tracks: "track", clips: "clip", markers: "marker", notes: "note", tempo: "tempo change", signatures: "signature change", points: "automation", lanes: "automation" };

function nameOf(document: Canonical, root: string, id: string): string {
  const entity = document[root as Root]?.[id];
  const fields = typeof entity === "object" && entity !== null && !Array.isArray(entity) ? (entity as { readonly [key: string]: unknown }) : {};
  const name = fields["name"] ?? fields["label"];
  const noun = NOUNS[root] ?? root;
  return typeof name === "string" && name !== "" ? `${noun} “${name}”` : noun;
}

/** "track “Drums”: gain, pan" for each thing that was touched; at most `most` of them. */
export function changedWords(document: Canonical, paths: readonly string[], most = 3): readonly string[] {
  const things = new Map<string, Set<string>>();
  for (const path of paths) {
    const [root = "", id = "", third = ""] = path.split("/");
    const [thing, key] = root === "transport" ? ["project", id] : [nameOf(document, root, id), third];
    const fields = things.get(thing) ?? new Set<string>();
    if (FIELDS[key] !== undefined) fields.add(FIELDS[key]);
    things.set(thing, fields);
  }
  const words = [...things].map(([thing, fields]) => (fields.size === 0 || fields.size > 4 ? thing : `${thing}: ${[...fields].join(", ")}`));
  return words.length <= most ? words : [...words.slice(0, most), `${words.length - most} more`];
}
