/**
 * The character tables of ftfy 6.3.1 that tell mojibake from text, as sources of regular expression classes.
 *
 * Tables carried over from ftfy's `badness.py` (MOJIBAKE_CATEGORIES) and `chardata.py` (UTF8_CLUES), with runs of
 * neighbours joined to ranges. Copyright 2023 Robyn Speer, Apache-2.0, https://github.com/rspeer/python-ftfy.
 */

/** Characters that mojibake is made of, by the role that they would have if they were meant. */
export const categories = {
  c1: "\u0080-\u009f",
  bad: "¤¦¨ª¬¯¸ºƒˆˇ˘˛˜†‡‰⌐◊\ufffd",
  law: "§¶",
  currency: "¢£¥₧€",
  startPunctuation: "¡©«¿΄΅‘‚“„•‹\uf8ff",
  endPunctuation: "®»˝”›™",
  numeric: "±-³µ¹¼-¾×÷⁄№∂∆∏∑√∞∩∫≈≠≡≤≥",
  kaomoji: "°Ò-ÖÙ-Üò-öø-üŌŐŪŲ",
  upperAccented: "À-ÑØÜÝĀĂĄĆČĎĐĒĖĘĚĞĢĪİĶĹĻĽŁŃŅŇŒŘŚŞŠŢŤŮŰŸŹŻŽҐ",
  lowerAccented: "ß-ñüāăąćčďđēėęěğģīįķĺļľłœŕśşšťźżžґﬁﬂ",
  upperCommon: "ÞΆΈ-ΊΌΎΏΑ-ΫЁ-Я",
  lowerCommon: "ά-ωа-џ",
  box: "│┌┐┘├┤┬┼═-╬▀▄█▌▐-▓",
  common: "\u00a0\u00ad´·–-―’…",
} as const;

/** Characters that the bytes of UTF-8 turn into when they are read as one of the single-byte encodings. */
export const utf8Clues = {
  /** bytes C2–DF */
  firstOf2: "Â-ßĀĂĆČĎĐĒĖĘĚĞĢĪİĶĹĻŁŃŅŇŌŐŘŚŞŠŢŪŮŰŲŹŻŽΒ-ΡΣ-ίВ-Я",
  /** bytes E0–EF */
  firstOf3: "à-ïāăąćčďēėęěģīįķĺļŕźΰ-οа-п",
  /** bytes F0–F4 */
  firstOf4: "ðóđğšπσру",
  /** bytes 80–BF, and the space that a no-break space (A0) may have become */
  continuation: " \u0080-¿ÆØæøĄąĽľŁłŒœŖŗŚśŞ-šŤťŸ-žƒˆˇ˘˛-˝΄-ΆΈ-ΊΌΎΏЁ-ЌЎЏё-ќўџҐґ–-―‘-‚“-„†-•…‰‹›€№™",
  /** the same without the space, dashes and quotes that also stand in sound text */
  continuationStrict: "\u0080-¿ÆØæøĄąĽľŁłŒœŖŗŚśŞ-šŤťŸ-žƒˆˇ˘˛-˝΄-ΆΈ-ΊΌΎΏЁ-ЌЎЏё-ќўџҐґ†‡‰‹›€№™",
} as const;
