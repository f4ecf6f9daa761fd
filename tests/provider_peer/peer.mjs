/**
 * Real Yjs clients behind stdin and stdout, with any provider of providers.mjs: one JSON line in, one out. Many clients
 * live in one process.
 *
 * A request is {op, name, …}; the answer {…} or {error}.
 *
 *   open        {kind, url, room, params, client?, shared?, session?}   a Y.Doc with every root and a provider that connects
 *                                              at once; Hocuspocus documents with the same `shared` share a socket
 *   edit        {changes}                      one transaction; a change as in yjs_peer: ["set", root, id, key, value],
 *                                              ["text", root, id, key, string], ["delete", root, id, key],
 *                                              ["insert", root, id, key, index, string]
 *   undo                                       the last own edit
 *   show        {state}                        the local awareness state
 *   say         {payload}                      a stateless message (Hocuspocus)
 *   state                                      {synced, connected, closed, warnings, people, client, unsynced, heard, scope}
 *   json                                       {json}: every root
 *   disconnect, connect {params?}, close
 */

import { createInterface } from "node:readline";
import * as Y from "yjs";
import * as Y14 from "@y/y";
import { provide, yjs } from "./providers.mjs";

const ROOTS = [
  "meta", "transport", "tempo", "signatures", "tracks", "clips", "lanes", "points",
  "effects", "sends", "events", "markers", "notes", "assets", "arrangement", "slots",
];
const USER = { name: "user" };
const clients = new Map();
const warnings = [];
console.warn = (...words) => warnings.push(words.join(" "));
console.log = console.info = console.error; // standard output is for answers

function open({ kind, client, ...options }) {
  const doc = new (yjs(kind).Doc)();
  if (client) doc.clientID = client;
  const newer = kind === "y-websocket-4";
  const roots = ROOTS.map((name) => (newer ? doc.get(name) : doc.getMap(name)));
  const undo = newer ? null : new Y.UndoManager(roots, { trackedOrigins: new Set([USER]), captureTimeout: 0 });
  return { doc, undo, newer, provider: provide(kind, doc, options) };
}

function entity(fields) {
  const map = new Y.Map();
  for (const [key, value] of Object.entries(fields)) map.set(key, value);
  return map;
}

function change(doc, [verb, root, id, key, ...rest]) {
  const map = doc.getMap(root);
  const target = id === "" || key === "" ? map : map.get(id);
  const place = key === "" ? id : key;
  if (verb === "set") target.set(place, key === "" ? entity(rest[0]) : rest[0]);
  else if (verb === "text") target.set(place, new Y.Text(rest[0]));
  else if (verb === "delete") target.delete(place);
  else if (verb === "insert") target.get(place).insert(...rest);
  else throw new Error(`no such change: ${verb}`);
}

/** Yjs 14 has one type for everything; only values of entities that are there are set with it. */
function change14(doc, [verb, root, id, key, ...rest]) {
  if (verb !== "set" || key === "") throw new Error(`no such change with Yjs 14: ${verb}`);
  doc.get(root).getAttr(id).setAttr(key, rest[0]);
}

const plain = (type) => (type instanceof Y14.Type ? Object.fromEntries([...type.attrKeys()].map((key) => [key, plain(type.getAttr(key))])) : type);

const people = (awareness) => Object.fromEntries([...awareness.getStates()].map(([id, state]) => [id, state]));

const operations = {
  edit: ({ doc, newer, provider }, { changes }) => {
    doc.transact(() => changes.forEach((each) => (newer ? change14 : change)(doc, each)), USER);
    return { unsynced: provider.unsynced };
  },
  say: ({ provider }, { payload }) => (provider.say(payload), {}),
  undo: ({ undo }) => (undo.undo(), {}),
  show: ({ provider }, { state }) => (provider.awareness.setLocalState(state), {}),
  state: ({ doc, provider }) => ({
    synced: provider.synced, connected: provider.connected, closed: provider.closed, warnings,
    people: people(provider.awareness), client: doc.clientID, unsynced: provider.unsynced, heard: provider.heard ?? [],
    scope: provider.scope ?? null,
  }),
  json: ({ doc, newer }) => ({
    json: Object.fromEntries(ROOTS.map((name) => [name, newer ? plain(doc.get(name)) : doc.getMap(name).toJSON()])),
  }),
  disconnect: ({ provider }) => (provider.disconnect(), {}),
  connect: ({ provider }, { params }) => (provider.connect(params), {}),
};

function close({ doc, provider }) {
  provider.destroy();
  doc.destroy();
}

function answer({ op, name, ...rest }) {
  if (op === "open") return clients.set(name, open(rest)), {};
  const peer = clients.get(name);
  if (op === "close") return close(peer), clients.delete(name), {};
  return operations[op](peer, rest);
}

for await (const line of createInterface({ input: process.stdin })) {
  let reply;
  try {
    reply = answer(JSON.parse(line));
  } catch (error) {
    reply = { error: String(error?.stack ?? error) };
  }
  process.stdout.write(`${JSON.stringify(reply)}\n`);
}
process.exit(0);
