/**
 * The client package in a process of its own, for tests against real servers: one JSON line in, one JSON line out.
 *
 *   come   {api, token, project, ws?}   connects the document; the ticket is the API's, `ws` another address for it
 *   leave  {}                           the connection ends, the document stays
 *   play   {tracks?, bpm?}              own edits
 *   state  {}                           {light, tracks, bpm, merged, over, refused, epoch, role, tickets}
 */

import { createInterface } from "node:readline";
import { Awareness } from "y-protocols/awareness";
import * as Y from "yjs";
import { Api, type Ticket } from "../../src/client/api.ts";
import { Connection } from "../../src/client/connection.ts";
import * as edits from "../../src/client/edits.ts";
import { secureBelow } from "../../src/client/ids.ts";
import type { Merged } from "../../src/client/merged.ts";
import { Saved } from "../../src/client/saved.ts";

interface Order { readonly op: string; readonly api: string; readonly token: string; readonly project: string; readonly ws?: string; readonly tracks?: number; readonly bpm?: number }

const doc = new Y.Doc();
const origin = {};
const pen = { doc, origin, user: "me", now: Date.now, below: secureBelow, gesture: () => undefined };
const heard = { merged: [] as Merged[], over: null as string | null, refused: null as string | null, epoch: 0, role: "", tickets: 0 };
let saved = new Saved();
let connection: Connection | null = null;

doc.on("update", (_update: Uint8Array, from: unknown) => {
  if (from === origin) connection?.edited();
});

async function come({ api: base, token, project, ws }: Order): Promise<void> {
  const api = new Api({ base, token });
  const { epoch } = await api.project(project);
  const fetchTicket = async (): Promise<Ticket> => {
    heard.tickets += 1;
    const ticket = await api.ticket(project);
    return ws === undefined ? ticket : { ...ticket, ws_url: `${ws}/y/${project}` };
  };
  saved = new Saved();
  connection = new Connection({
    doc, awareness: new Awareness(doc), saved, epoch, fetchTicket,
    on: {
      role: (role) => (heard.role = role),
      denied: () => undefined,
      epochChanged: () => (heard.epoch += 1),
      refused: (sentence) => (heard.refused = sentence),
      merged: (merged) => heard.merged.push(merged),
      over: (sentence) => (heard.over = sentence),
      waiting: () => undefined,
    },
  });
}

function play({ tracks = 0, bpm }: Order): void {
  for (let number = 0; number < tracks; number++) edits.addTrack(pen, `Track ${number}`);
  if (bpm !== undefined) edits.setBpm(pen, bpm);
}

function state(): object {
  return { ...heard, light: saved.light, tracks: doc.getMap("tracks").size, bpm: doc.getMap("transport").get("bpm") ?? null };
}

async function obey(order: Order): Promise<object> {
  if (order.op === "come") await come(order);
  else if (order.op === "leave") connection?.close();
  else if (order.op === "play") play(order);
  return state();
}

for await (const line of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(await obey(JSON.parse(line) as Order)));
}
process.exit();
