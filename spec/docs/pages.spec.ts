import { describePages, longPages, pages } from "../support/page-examples.ts";

describePages(pages.filter((name) => !longPages.includes(name)));
