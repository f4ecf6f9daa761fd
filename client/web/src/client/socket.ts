/** A WebSocket that tells what passes: y-websocket itself knows neither acknowledgements nor roles. */

import { readFrame, type Frame } from "./frames.ts";

export interface Tap {
  /** False keeps the frame from being sent. */
  readonly outgoing: (frame: Frame) => boolean;
  readonly incoming: (frame: Frame) => void;
}

const view = (data: ArrayBuffer | ArrayBufferView): Uint8Array =>
  ArrayBuffer.isView(data) ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength) : new Uint8Array(data);

/** A class to hand to the provider in place of WebSocket. */
export function tapped(tap: Tap): typeof WebSocket {
  return class extends WebSocket {
    constructor(url: string | URL, protocols?: string | string[]) {
      super(url, protocols);
      this.addEventListener("message", (event) => {
        if (event.data instanceof ArrayBuffer) tap.incoming(readFrame(view(event.data)));
      });
    }

    override send(data: string | ArrayBufferLike | Blob | ArrayBufferView<ArrayBufferLike>): void {
      if (typeof data === "string" || data instanceof Blob) return super.send(data);
      const bytes = view(data as ArrayBuffer | ArrayBufferView);
      if (tap.outgoing(readFrame(bytes))) super.send(data as ArrayBuffer);
    }
  };
}
