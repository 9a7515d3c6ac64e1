import { describePages, longPages } from "../support/page-examples.ts";

describePages(longPages);
