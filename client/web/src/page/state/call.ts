/** One's own part in voice: it lives as long as the project is open on this page, through every reopening. */

import { useEffect, useMemo } from "preact/hooks";
import type { Api } from "../../client/api.ts";
import { Call, type Connect } from "../../voice/call.ts";
import { NoLine } from "../../voice/words.ts";

/** LiveKit's client is loaded here, when somebody joins, and never before. */
const connect: Connect = async (token, ears) => {
  const livekit = await import("../../voice/livekit.ts").catch((cause: unknown) => {
    throw new NoLine("unreachable", cause);
  });
  return livekit.connect(token, ears);
};

export function useCall(api: Api, project: string): Call {
  const call = useMemo(() => new Call({ enter: () => api.enterVoice(project), connect }), [project]);
  useEffect(() => () => void call.leave(), [call]);
  return call;
}
