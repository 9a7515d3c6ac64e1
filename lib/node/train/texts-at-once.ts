/** Texts of similar length that run together: the others of a batch need not be padded to its longest text. */
export const textsAtOnce = 16;
