/** The one gesture that is under way on this screen. */

import { createContext } from "preact";
import { newGestures } from "./gesture.ts";

export const GesturesContext = createContext(newGestures());
