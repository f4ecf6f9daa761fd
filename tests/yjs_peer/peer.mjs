/**
 * Real Yjs documents behind stdin and stdout: one JSON line in, one out. Many documents live in one process.
 *
 * A request is {op, doc, …}; the answer {…} or {error}. JSON has no NaN: {"$": "NaN"} stands for it, likewise
 * "Infinity", "-Infinity" and "undefined".
 *
 *   open   {client}            a document with every root, under this client id, with an undo manager on "user"
 *   apply  {update}            hex; from a peer
 *   edit   {changes}           one transaction of origin "user"; answers {update} (hex, "" for none)
 *   undo, redo                 answers {update}; hold {ms}: gestures closer than this are one undo step (0)
 *   state                      {state}: the state vector
 *   update {since?}            {update}: all of it, or what is missing since a state vector
 *   json                       {json}: every root
 *   close
 *
 * A change: ["set", root, id, key, value] (id "": a key of the root itself; key "": a whole new entity),
 * ["text", root, id, key, string], ["delete", root, id, key], ["insert", root, id, key, index, string],
 * ["remove", root, id, key, index, length], ["nested", root, id, key] (a Y.Map where it does not belong).
 */

import { createInterface } from "node:readline";
import * as Y from "yjs";

const ROOTS = [
  "meta", "transport", "tempo", "signatures", "tracks", "clips", "lanes", "points",
  "effects", "sends", "events", "markers", "notes", "assets", "arrangement", "slots",
];
const SPECIAL = { NaN, Infinity, "-Infinity": -Infinity, undefined };
const USER = { name: "user" };
const peers = new Map();

const hex = (bytes) => Buffer.from(bytes).toString("hex");
const bytes = (text) => new Uint8Array(Buffer.from(text, "hex"));
const revive = (_, value) => (value !== null && typeof value === "object" && "$" in value ? special(value.$) : value);
const special = (name) => (name === "undefined" ? "\u0000undefined" : SPECIAL[name]);
const real = (value) => (value === "\u0000undefined" ? undefined : value);

function open(client) {
  const doc = new Y.Doc();
  doc.clientID = client;
  const roots = ROOTS.map((name) => doc.getMap(name));
  const undo = new Y.UndoManager(roots, { trackedOrigins: new Set([USER]), captureTimeout: 0 });
  const peer = { doc, undo, out: [] };
  doc.on("update", (update, origin) => origin === "remote" || peer.out.push(update));
  return peer;
}

function entity(fields) {
  const map = new Y.Map();
  for (const [key, value] of Object.entries(fields)) map.set(key, real(value));
  return map;
}

function change(doc, [verb, root, id, key, ...rest]) {
  const map = doc.getMap(root);
  const target = id === "" || key === "" ? map : map.get(id);
  const place = key === "" ? id : key;
  if (!(target instanceof Y.Map)) return;
  if (verb === "set") target.set(place, key === "" ? entity(rest[0]) : real(rest[0]));
  else if (verb === "text") target.set(place, new Y.Text(rest[0]));
  else if (verb === "nested") target.set(place, new Y.Map());
  else if (verb === "delete") target.delete(place);
  else if (verb === "insert") target.get(place).insert(...rest);
  else if (verb === "remove") target.get(place).delete(...rest);
  else throw new Error(`no such change: ${verb}`);
}

function taken(peer) {
  const updates = peer.out.splice(0);
  return { update: updates.length === 0 ? "" : hex(updates.length === 1 ? updates[0] : Y.mergeUpdates(updates)) };
}

const json = (doc) => Object.fromEntries(ROOTS.map((name) => [name, doc.getMap(name).toJSON()]));

const operations = {
  apply: (peer, { update }) => (Y.applyUpdate(peer.doc, bytes(update), "remote"), {}),
  edit: (peer, { changes }) => {
    peer.doc.transact(() => changes.forEach((each) => change(peer.doc, each)), USER);
    return taken(peer);
  },
  undo: (peer) => (peer.undo.undo(), taken(peer)),
  redo: (peer) => (peer.undo.redo(), taken(peer)),
  hold: (peer, { ms }) => ((peer.undo.captureTimeout = ms), {}),
  state: (peer) => ({ state: hex(Y.encodeStateVector(peer.doc)) }),
  update: (peer, { since }) => ({ update: hex(Y.encodeStateAsUpdate(peer.doc, since ? bytes(since) : undefined)) }),
  json: (peer) => ({ json: json(peer.doc) }),
};

function answer({ op, doc, ...rest }) {
  if (op === "open") return peers.set(doc, open(rest.client)), {};
  const peer = peers.get(doc);
  if (op === "close") return peer.doc.destroy(), peers.delete(doc), {};
  return operations[op](peer, rest);
}

for await (const line of createInterface({ input: process.stdin })) {
  let reply;
  try {
    reply = answer(JSON.parse(line, revive));
  } catch (error) {
    reply = { error: String(error?.stack ?? error) };
  }
  process.stdout.write(`${JSON.stringify(reply)}\n`);
}
