"""What the key commands promise on the command line. Usage: key_commands_test.py ATELIER."""
import json
import os
import pathlib
import tempfile

from promises import end, expect, run


def main():
    root = pathlib.Path(tempfile.mkdtemp())
    shop = root / "shop"
    run("key", "list", cwd=root, code=1, says="atelier init")
    run("init", str(shop), cwd=root)
    run("key", "list", cwd=shop, says="No keys")

    plain = run("key", "create", "店铺", cwd=shop)
    expect("one line, the key", (len(plain), plain[:4]), (48, "atl_"))
    made = json.loads(run("key", "create", "trial", "--scope", "recipes", "--scope", "feedback", "--requests-per-minute",
                          "60", "--tokens-per-day", "1000", "--days", "30", "--json", cwd=shop))
    info = made["info"]
    expect("prefix", made["key"][:12], info["prefix"])
    expect("scopes", info["scopes"], ["feedback", "recipes"])
    expect("limits", (info["requests_per_minute"], info["tokens_per_day"]), (60, 1000))
    expect("holds 30 days", round((info["expires_at"] - info["created_at"]) / 86_400_000, 3), 30)
    expect("state", (info["state"], info["last_used_at"], info["revoked_at"]), ("live", None, None))
    expect("secret's mode", (shop / "keys.secret").stat().st_mode & 0o777, 0o600)
    for path in shop.glob("studio.db*"):
        expect(f"the key in {path.name}", made["key"][12:].encode() in path.read_bytes(), False)

    run("key", "create", "trial", cwd=shop, code=1, says="already")
    run("key", "create", "other", "--scope", "generat", cwd=shop, code=1, says="did you mean generate")
    run("key", "create", cwd=shop, code=2)
    run("key", "create", "x", "--days", "-1", cwd=shop, code=2)
    os.chmod(shop / "keys.secret", 0o644)
    run("key", "create", "x", cwd=shop, code=1, says="chmod 600")
    os.chmod(shop / "keys.secret", 0o600)

    keys = json.loads(run("key", "list", "--json", cwd=shop))["keys"]
    expect("listed", [(key["name"], key["scopes"]) for key in keys],
           [("店铺", ["generate"]), ("trial", ["feedback", "recipes"])])
    shown = run("key", "list", cwd=shop, says="60/min, 1000 tokens/day")
    expect("a key in the list", made["key"] in shown or plain.strip() in shown, False)

    run("key", "revoke", info["prefix"] + "...", cwd=shop, says="Revoked trial")
    again = json.loads(run("key", "revoke", info["id"], "--json", cwd=shop))["revoked"]
    expect("revoked", (again["id"], again["state"]), (info["id"], "revoked"))
    run("key", "revoke", "atl_nosuch", cwd=shop, code=1, says="atelier key list")
    expect("live keys", len(json.loads(run("key", "list", "--json", cwd=shop))["keys"]), 1)
    expect("all keys", len(json.loads(run("key", "list", "--all", "--json", cwd=shop))["keys"]), 2)
    run("key", "create", "trial", cwd=shop)  # the name of a dead key is free
    run("key", "create", "--help", cwd=shop, says="Examples:")

    end("key commands: as promised")


main()
