import assert from "node:assert/strict";
import test from "node:test";
import * as Y from "yjs";
import * as edits from "../src/client/edits.ts";
import { unseen } from "../src/client/lineage.ts";
import { meet, peer } from "./peers.ts";

/** A project of the server's, and Ana, who worked in it. */
function song(): { server: ReturnType<typeof peer>; ana: ReturnType<typeof peer> } {
  const [server, ana] = [peer(1), peer(2)];
  server.doc.getMap("meta").set("name", "Song");
  meet(server, ana);
  for (let number = 0; number < 50; number++) edits.addTrack(ana.pen, `Track ${number}`);
  meet(server, ana);
  return { server, ana };
}

const vector = ({ doc }: ReturnType<typeof peer>): Uint8Array => Y.encodeStateVector(doc);

test("a copy that holds nothing of its own is offered to nobody", () => {
  const { server, ana } = song();
  edits.setBpm(server.pen, 99);
  assert.equal(unseen(ana.doc, vector(server)), null);
});

test("deletions are offered with the project's facts, as the server tells nobody which it knows", () => {
  const { server, ana } = song();
  const [first = assert.fail("no track")] = Object.keys(ana.doc.getMap("tracks").toJSON());
  ana.doc.getMap("tracks").delete(first);
  const offered = unseen(ana.doc, vector(server)) ?? assert.fail("nothing was offered");
  const { structs, ds } = Y.decodeUpdate(offered);
  assert.deepEqual(structs.map((struct): unknown => (struct instanceof Y.Item ? struct.parent : null)), ["meta"]);
  assert.ok(ds.clients.size > 0);
  Y.applyUpdate(server.doc, offered);
  assert.equal(server.doc.getMap("tracks").size, 49);
});

test("what the server lacks is offered with the project's facts, and without the rest", () => {
  const { server, ana } = song();
  edits.addTrack(ana.pen, "Bass");
  const offered = unseen(ana.doc, vector(server)) ?? assert.fail("nothing was offered");
  const roots = Y.decodeUpdate(offered).structs.map((struct): unknown => (struct instanceof Y.Item ? struct.parent : null));
  assert.ok(roots.includes("meta"));
  assert.ok(offered.length < Y.encodeStateAsUpdate(ana.doc).length / 4);
  Y.applyUpdate(server.doc, offered);
  assert.equal(server.doc.getMap("tracks").size, 51);
});
