/**
 * Real y-websocket clients behind stdin and stdout: one JSON line in, one out. Many clients live in one process.
 *
 * A request is {op, name, …}; the answer {…} or {error}.
 *
 *   open        {url, room, params, client?}   a Y.Doc with every root and a WebsocketProvider that connects at once
 *   edit        {changes}                      one transaction; a change as in yjs_peer: ["set", root, id, key, value],
 *                                              ["text", root, id, key, string], ["delete", root, id, key],
 *                                              ["insert", root, id, key, index, string]
 *   undo                                       the last own edit
 *   show        {state}                        the local awareness state
 *   state                                      {synced, connected, closed, warnings, people, client}
 *   json                                       {json}: every root
 *   disconnect, connect {params?}, close
 */

import { createInterface } from "node:readline";
import * as Y from "yjs";
import { WebsocketProvider } from "y-websocket";
import WebSocket from "ws";

const ROOTS = [
  "meta", "transport", "tempo", "signatures", "tracks", "clips", "lanes", "points",
  "effects", "sends", "events", "markers", "notes", "assets", "arrangement", "slots",
];
const USER = { name: "user" };
const clients = new Map();
const warnings = [];
console.warn = (...words) => warnings.push(words.join(" "));
console.log = console.info = console.error; // standard output is for answers

function open({ url, room, params, client }) {
  const doc = new Y.Doc();
  if (client) doc.clientID = client;
  const roots = ROOTS.map((name) => doc.getMap(name));
  const undo = new Y.UndoManager(roots, { trackedOrigins: new Set([USER]), captureTimeout: 0 });
  const provider = new WebsocketProvider(url, room, doc, {
    params, WebSocketPolyfill: WebSocket, disableBc: true, maxBackoffTime: 400,
  });
  const peer = { doc, undo, provider, closed: null };
  provider.on("closed", (reason) => (peer.closed = reason));
  return peer;
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

const people = (awareness) => Object.fromEntries([...awareness.getStates()].map(([id, state]) => [id, state]));

const operations = {
  edit: ({ doc }, { changes }) => (doc.transact(() => changes.forEach((each) => change(doc, each)), USER), {}),
  undo: ({ undo }) => (undo.undo(), {}),
  show: ({ provider }, { state }) => (provider.awareness.setLocalState(state), {}),
  state: ({ doc, provider, closed }) => ({
    synced: provider.synced, connected: provider.wsconnected, closed, warnings,
    people: people(provider.awareness), client: doc.clientID,
  }),
  json: ({ doc }) => ({ json: Object.fromEntries(ROOTS.map((name) => [name, doc.getMap(name).toJSON()])) }),
  disconnect: ({ provider }) => (provider.disconnect(), {}),
  connect: (peer, { params }) => {
    if (params) peer.provider.params = params;
    peer.closed = null;
    peer.provider.connect();
    return {};
  },
};

function close({ doc, provider }) {
  doc.clientID = provider.awareness.clientID; // Yjs may have taken a new id; y-websocket's goodbye knows only the first
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
