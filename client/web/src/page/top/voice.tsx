/** Voice at a glance: one's own microphone while in, else how many talk. */

import { useEffect } from "preact/hooks";
import { Button, IconButton } from "../parts/button.tsx";
import { Icon } from "../parts/icons.tsx";
import { notice } from "../state/actions.ts";
import { useChanges } from "../state/store.ts";
import { useStudio } from "../state/studio.ts";

export function VoiceLight() {
  const studio = useStudio();
  const { call, sound, ui } = studio;
  const { control } = sound.deck;
  useChanges(call);
  useChanges(control);
  const { phase, speak, muted, trouble } = call.state;
  useEffect(() => {
    if (trouble !== null && ui.value.dialog !== "people") notice(studio, trouble);
  }, [trouble]);
  const show = (): void => ui.set({ dialog: "people" });
  if (phase === "in" && speak) return <IconButton icon={muted ? "muted" : "mic"} label={muted ? "Unmute yourself" : "Mute yourself"} pressed={!muted} onClick={() => void (muted ? call.unmute() : call.mute())} testid="voice-own" />;
  const words = phase === "out" ? talking(control.voice?.length ?? 0) : "In voice";
  return words === null ? null : <Button kind="quiet" onClick={show} testid="voice-light"><Icon name="mic" />{words}</Button>;
}

const talking = (count: number): string | null => (count === 0 ? null : `${count} in voice`);
