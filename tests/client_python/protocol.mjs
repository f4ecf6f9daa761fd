/** Prints, as JSON, what y-protocols writes for one small document, and what it makes of the frames it is given. */

import { createRequire } from "node:module";

const require = createRequire(process.argv[2]);
const Y = require("yjs");
const sync = require("y-protocols/sync");
const awareness = require("y-protocols/awareness");
const auth = require("y-protocols/auth");
const encoding = require("lib0/encoding");
const decoding = require("lib0/decoding");

const ours = JSON.parse(process.argv[3]);
const hex = (bytes) => Buffer.from(bytes).toString("hex");
const bytes = (text) => new Uint8Array(Buffer.from(text, "hex"));
const frame = (kind, write) => {
  const encoder = encoding.createEncoder();
  encoding.writeVarUint(encoder, kind);
  write(encoder);
  return hex(encoding.toUint8Array(encoder));
};

const doc = new Y.Doc();
doc.clientID = 4294967295;
doc.getMap("tracks").set("a", 1.5);
doc.getMap("tracks").set("b", "é");
const update = Y.encodeStateAsUpdate(doc);

const speaker = new awareness.Awareness(Object.assign(new Y.Doc(), { clientID: 5 }));
speaker.clientID = 5;
speaker.setLocalState({ user: { name: "José 🎸" } });
const said = () => frame(1, (e) => encoding.writeVarUint8Array(e, awareness.encodeAwarenessUpdate(speaker, [5])));
const meta = speaker.meta.get(5);
meta.clock = 1;
const here = said();
speaker.states.delete(5);
meta.clock = 2;
const gone = said();

const listener = new awareness.Awareness(new Y.Doc());
const presence = decoding.createDecoder(bytes(ours.presence));
decoding.readVarUint(presence);
awareness.applyAwarenessUpdate(listener, decoding.readVarUint8Array(presence), "test");
const heard = [...listener.getStates()].filter(([id]) => id === 7 || id === 8);

const answer = encoding.createEncoder();
encoding.writeVarUint(answer, 0);
const question = decoding.createDecoder(bytes(ours.step1));
decoding.readVarUint(question);
sync.readSyncMessage(question, answer, doc, "test");

process.stdout.write(JSON.stringify({
  vector: hex(Y.encodeStateVector(doc)), update: hex(update),
  step1: frame(0, (e) => sync.writeSyncStep1(e, doc)),
  step2: frame(0, (e) => sync.writeSyncStep2(e, doc)),
  edit: frame(0, (e) => sync.writeUpdate(e, update)),
  awareness: here, gone, heard, answer: hex(encoding.toUint8Array(answer)),
  denied: frame(2, (e) => auth.writePermissionDenied(e, "no, José 🎸")),
  query: frame(3, () => {}),
}));
process.exit(0);
