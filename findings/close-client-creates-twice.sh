#!/usr/bin/env bash
# closeio 2.1 (Close's Python client) with requests 2.32.5, 2026-11-28
#
# One would guess: a client that repeats requests by itself repeats only those that may be repeated, as it does for
#   502 and 504 (GET alone), so that a create is sent once or raises.
# What happens: when the connection breaks before the answer has come, every method is sent again after 2 seconds, POST
#   too. If the server had already stored the record, it is stored twice; the caller sees one success.
# Output seen: the caller got lead_2; the server holds 2 leads: ['Acme', 'Acme']
# Why it matters: doubled leads are created at their source, look like two customers to every loader behind it, and can
#   only be found by their content.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check closeio==2.1 requests==2.32.5

cat > create.py <<'PY'
import http.server
import json
import threading

from closeio_api import API

leads: list[str] = []

class Server(http.server.BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        leads.append(body["name"])
        if len(leads) == 1:  # stored, but the line goes down before the answer
            self.close_connection = True
            return
        answer = json.dumps({"id": f"lead_{len(leads)}", "name": body["name"]}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *args: object) -> None:
        pass

server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()
client = API(f"http://127.0.0.1:{server.server_port}/api/v1/", api_key="api_example")
lead = client.post("lead", {"name": "Acme"})
print(f"the caller got {lead['id']}; the server holds {len(leads)} leads: {leads}")
if leads != ["Acme", "Acme"] or lead["id"] != "lead_2":
    print("changed: a create is no longer repeated after a broken connection")
    raise SystemExit(1)
PY
venv/bin/python create.py
