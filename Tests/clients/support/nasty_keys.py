"""Keys that gateways get wrong: each must come back byte for byte."""

NASTY_KEYS = [
    "plain.txt",
    "with space",
    "a+b",
    "a%2Bb",
    "a%2Fb",
    "100%",
    "(parentheses)!*'",
    "semi;colon,comma",
    "q?x=1&y=2",
    "hash#mark",
    "equals=and&ampersand",
    "colon:at@dollar$",
    "<angle> & \"quotes\" 'single'",
    "tilde~under_dash-dot.",
    "[brackets]{braces}|pipe",
    "back\\slash",
    "caret^grave`",
    "ünïcode/日本語/ключ",
    "e\u0301 decomposed",
    "é precomposed",
    "emoji 🪣.png",
    "trailing.dots...",
    ".hidden",
    "a..b/c",
    "double//slash",
    "trailing/slash/",
    "x" * 200 + "/" + "y" * 200,
]

# SeaweedFS stores a backslash as `/`, refuses empty segments, and makes folders without a body of trailing slashes.
REFUSED_BY_SEAWEEDFS = {"back\\slash", "double//slash", "trailing/slash/"}
