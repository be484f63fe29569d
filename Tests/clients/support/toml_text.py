"""Python values → TOML text. Tables become [table], lists of tables [[table]]."""

import json


def _value(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return str(value)
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, list):
        return "[" + ", ".join(_value(item) for item in value) + "]"
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{_key(k)} = {_value(v)}" for k, v in value.items()) + " }"
    raise TypeError(f"no TOML for {type(value)}")


def _key(key):
    plain = key and all(c.isascii() and (c.isalnum() or c in "-_") for c in key)
    return key if plain else json.dumps(key)


def _is_table_list(value):
    return isinstance(value, list) and bool(value) and all(isinstance(item, dict) for item in value)


def toml_text(table, path=()):
    """The text of one table: its values first, then the tables inside it."""
    lines, nested = [], []
    for key, value in table.items():
        if value is None:
            continue
        if isinstance(value, dict):
            nested.append(f"[{'.'.join((*path, _key(key)))}]\n" + toml_text(value, (*path, _key(key))))
        elif _is_table_list(value):
            for item in value:
                nested.append(f"[[{'.'.join((*path, _key(key)))}]]\n" + toml_text(item, (*path, _key(key))))
        else:
            lines.append(f"{_key(key)} = {_value(value)}\n")
    return "".join(lines) + "".join(nested)
