/** The providers of the matrix behind one face: {synced, connected, closed, unsynced, awareness, connect, disconnect, destroy}. */

import * as Y13 from "yjs";
import * as Y14 from "@y/y";
import { WebsocketProvider as YWebsocket1 } from "y-websocket-1";
import { WebsocketProvider as YWebsocket2 } from "y-websocket-2";
import { WebsocketProvider as YWebsocket3 } from "y-websocket-3";
import { WebsocketProvider as YWebsocket4 } from "@y/websocket";
import * as hocuspocus2 from "hocuspocus-2";
import * as hocuspocus3 from "hocuspocus-3";
import * as hocuspocus4 from "hocuspocus-4";
import WebSocket from "ws";

const Y_WEBSOCKET = { "y-websocket-1": YWebsocket1, "y-websocket-2": YWebsocket2, "y-websocket-3": YWebsocket3, "y-websocket-4": YWebsocket4 };
const HOCUSPOCUS = { "hocuspocus-2": hocuspocus2, "hocuspocus-3": hocuspocus3, "hocuspocus-4": hocuspocus4 };
const sockets = new Map(); // url and version → the socket that many documents share

export const yjs = (kind) => (kind === "y-websocket-4" ? Y14 : Y13);
export const provide = (kind, doc, options) =>
  kind in HOCUSPOCUS ? hocuspocus(kind, doc, options) : yWebsocket(kind, doc, options);

function yWebsocket(kind, doc, { url, room, params }) {
  const provider = new Y_WEBSOCKET[kind](url, room, doc, {
    params, WebSocketPolyfill: WebSocket, disableBc: true, maxBackoffTime: 400,
  });
  const face = {
    closed: null,
    unsynced: null,
    get synced() { return provider.synced; },
    get connected() { return provider.wsconnected; },
    get awareness() { return provider.awareness; },
    disconnect: () => provider.disconnect(),
    connect: (renewed) => {
      if (renewed) provider.params = renewed;
      face.closed = null;
      provider.connect();
    },
    destroy: () => {
      doc.clientID = provider.awareness.clientID; // Yjs may have taken a new id; the goodbye knows only the first
      provider.destroy();
    },
  };
  provider.on("closed", (reason) => (face.closed = reason));
  return face;
}

function hocuspocus(kind, doc, { url, room, params, shared, session }) {
  const { HocuspocusProvider, HocuspocusProviderWebsocket } = HOCUSPOCUS[kind];
  const key = `${kind} ${url} ${shared ?? Math.random()}`;
  if (!sockets.has(key)) {
    const websocket = new HocuspocusProviderWebsocket({ url, WebSocketPolyfill: WebSocket, delay: 200, minDelay: 100, maxDelay: 400 });
    sockets.set(key, { websocket, users: 0 });
  }
  const socket = sockets.get(key);
  socket.users += 1;
  const face = { closed: null, heard: [], connected: false, scope: null };
  const provider = new HocuspocusProvider({
    websocketProvider: socket.websocket, name: room, document: doc, token: () => params.token, preserveConnection: true,
    ...(session ? { sessionAwareness: true } : {}),
    onAuthenticated: (event) => ((face.connected = true), (face.scope = event?.scope ?? provider.authorizedScope)),
    onAuthenticationFailed: ({ reason }) => ((face.connected = false), (face.closed = { code: 4401, reason })),
    onClose: ({ event }) => ((face.connected = false), (face.closed = { code: event.code, reason: event.reason })),
    onStateless: ({ payload }) => face.heard.push(payload),
  });
  provider.attach?.();
  return Object.defineProperties(face, Object.getOwnPropertyDescriptors({
    get synced() { return provider.synced || provider.isSynced; },
    get awareness() { return provider.awareness; },
    get unsynced() { return provider.unsyncedChanges; },
    disconnect: () => socket.websocket.disconnect(),
    connect: (renewed) => {
      if (renewed) params = renewed;
      face.closed = null;
      socket.websocket.connect();
    },
    destroy: () => {
      provider.destroy();
      socket.users -= 1;
      if (!socket.users) {
        socket.websocket.destroy();
        sockets.delete(key);
      }
    },
    say: (payload) => provider.sendStateless(payload),
  }));
}
