/** Makes tap sinks follow asynchronous calls under Node. Imported for its effect. */
import { AsyncLocalStorage } from "node:async_hooks";
import { setTapScope } from "../tensor/taps.ts";

setTapScope(new AsyncLocalStorage());
