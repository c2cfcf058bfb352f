#!/usr/bin/env python3
"""openapi.py FILE SOCKET [SESSION]: makes every call of an OpenAPI file at a real socket, good and bad, and checks
each answer against the file. SESSION is one of a server's that may be ended; a client is ended."""

import http.client
import json
import socket
import sys

import jsonschema
import yaml

try:
    from openapi_spec_validator import validate_spec
except ImportError:  # a host that has not got it: the answers are checked all the same
    def validate_spec(_spec):
        pass


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=30)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(30)
        self.sock.connect(self.path)


def as_json_schema(node):
    """OpenAPI 3.0's `nullable` is JSON Schema's `null` among the types."""
    if isinstance(node, list):
        return [as_json_schema(item) for item in node]
    if not isinstance(node, dict):
        return node
    out = {key: as_json_schema(value) for key, value in node.items()}
    if out.pop("nullable", False):
        out["type"] = [out["type"], "null"]
    return out


class Checker:
    def __init__(self, spec, path):
        self.spec, self.path, self.seen = spec, path, set()
        self.root = as_json_schema(spec)

    def call(self, method, target, content=None):
        connection = UnixConnection(self.path)
        connection.request(method, target, content)
        response = connection.getresponse()
        body = response.read()
        connection.close()
        assert response.getheader("Content-Type") == "application/json", (method, target, response.getheaders())
        return response.status, json.loads(body)

    def check(self, method, template, target, status, content=None):
        got, body = self.call(method.upper(), target, content)
        assert got == status, f"{method} {target}: {got} instead of {status}: {body}"
        responses = self.spec["paths"][template][method]["responses"]
        assert str(status) in responses, f"{method} {template}: the file does not know the status {status}"
        response = responses[str(status)]
        if "$ref" in response:
            response = self.spec["components"]["responses"][response["$ref"].split("/")[-1]]
        schema = as_json_schema(response["content"]["application/json"]["schema"])
        jsonschema.validate(body, {**schema, "components": self.root["components"]})
        self.seen.add((method, template))
        return body


def check_server(checker, session):
    checker.check("get", "/v1/status", "/v1/status", 200)
    sessions = checker.check("get", "/v1/sessions", "/v1/sessions", 200)["sessions"]
    assert session in [one["id"] for one in sessions], sessions
    one = "/v1/sessions/{id}"
    checker.check("delete", one, "/v1/sessions/0", 400)
    checker.check("delete", one, "/v1/sessions/0000000000000000", 404)
    checker.check("delete", one, "/v1/sessions/" + session, 200)
    checker.check("delete", one, "/v1/sessions/" + session, 404)
    checker.check("post", "/v1/reload", "/v1/reload", 200)
    check_users(checker)


def check_users(checker):
    def post(template, target, status, content):
        return checker.check("post", template, target, status, json.dumps(content))

    users, user, devices, device = "/v1/users", "/v1/users/{name}", "/v1/devices", "/v1/devices/{id}"
    post(users, users, 200, {"name": "openapi", "expires": "30d", "max_devices": 2})
    post(users, users, 400, {"name": "openapi"})
    post(users, users, 400, {"name": "a b"})
    post(users, users, 400, {"name": "x", "colour": "red"})
    checker.check("get", user, users + "/openapi", 200)
    checker.check("get", user, users + "/nobody", 404)
    post(user, users + "/openapi", 200, {"enabled": False, "expires": None})
    post(user, users + "/openapi", 400, {})
    post(user, users + "/openapi", 200, {"quota": "100GB", "quota_reset_day": 15, "quota_action": "block"})
    post(user, users + "/openapi", 400, {"quota": "much"})
    post(user, users + "/nobody", 404, {"enabled": True})
    groups, group = "/v1/groups", "/v1/groups/{name}"
    post(groups, groups, 200, {"name": "openapi", "max_sessions": 2, "quota": "1TB"})
    post(groups, groups, 400, {"name": "openapi"})
    post(group, groups + "/openapi", 200, {"max_devices": 3, "max_sessions": None})
    post(group, groups + "/openapi", 400, {"enabled": True})
    post(group, groups + "/nobody", 404, {"max_devices": 3})
    assert post(user, users + "/openapi", 200, {"group": "openapi"})["from_group"] == []  # it has its own
    post(user, users + "/openapi", 400, {"group": "nobody"})
    assert checker.check("get", groups, groups, 200)["groups"][0]["users"] == ["openapi"]
    checker.check("get", group, groups + "/openapi", 200)
    checker.check("get", group, groups + "/nobody", 404)
    checker.check("delete", group, groups + "/openapi", 400)
    post(user, users + "/openapi", 200, {"group": None})
    checker.check("delete", group, groups + "/openapi", 200)
    checker.check("delete", group, groups + "/openapi", 404)
    told = post(devices, devices, 200, {"user": "openapi", "name": "phone", "token": True})
    assert len(told["token"]) >= 32, told
    assert post(devices, devices, 200, {"user": "openapi", "name": "tv", "login": True})["secret"]
    post(devices, devices, 400, {"user": "openapi", "name": "third", "token": True})
    post(devices, devices, 404, {"user": "nobody", "name": "phone", "token": True})
    one = devices + "/" + told["device"]["id"]
    assert post(device, one, 200, {})["token"] != told["token"]
    post(device, one, 400, {"key": "ed25519:AA"})
    assert post(device, one, 200, {"address": "10.8.0.50"})["device"]["address"] == "10.8.0.50"
    post(device, one, 400, {"address": "10.9.0.50"})
    post(devices, devices, 400, {"user": "openapi", "name": "third", "token": True, "address": "10.8.0.50"})
    shown = checker.check("get", users, users, 200)["users"]
    assert ["phone", "tv"] == [d["name"] for u in shown if u["name"] == "openapi" for d in u["devices"]], shown
    checker.check("delete", device, one, 200)
    checker.check("delete", device, one, 404)
    checker.check("delete", device, devices + "/x", 400)
    post("/v1/invitations", "/v1/invitations", 400, {"user": "openapi"})  # disabled
    post(user, users + "/openapi", 200, {"enabled": True})
    invited = post("/v1/invitations", "/v1/invitations", 200, {"user": "openapi", "expires": "1h"})
    assert len(invited["ticket"]) == 22 and not invited["is_new"], invited
    post("/v1/invitations", "/v1/invitations", 400, {"user": "openapi", "expires": "2000d"})
    shown = checker.check("get", user, users + "/openapi", 200)
    assert shown["open_links"] == [invited["expires"]], shown
    cancel = "/v1/invitations/{name}"
    assert checker.check("delete", cancel, "/v1/invitations/openapi", 200)["cancelled"] == 1
    checker.check("delete", cancel, "/v1/invitations/nobody", 404)
    assert "openapi" in [one["name"] for one in checker.check("get", "/v1/usage", "/v1/usage", 200)["users"]]
    checker.check("get", "/v1/usage/{month}", "/v1/usage/2026-11", 200)
    checker.check("get", "/v1/usage/{month}", "/v1/usage/2026-13", 400)
    checker.check("delete", user, users + "/openapi", 200)
    checker.check("delete", user, users + "/openapi", 404)
    assert checker.check("get", "/v1/deeds", "/v1/deeds", 200)["deeds"][0]["what"] == "user remove openapi"


def check_client(checker):
    checker.check("get", "/v1/status", "/v1/status", 200)
    checker.check("post", "/v1/reconnect", "/v1/reconnect", 400, "{}")
    checker.check("post", "/v1/reconnect", "/v1/reconnect", 200)
    checker.check("post", "/v1/stop", "/v1/stop", 400, "[")


def check_refusals(checker, spec):
    error = as_json_schema(spec["components"]["schemas"]["Error"])
    post = next(path for path, item in spec["paths"].items() if set(item) == {"post"})
    for method, target, status in [("GET", "/", 404), ("POST", "/v1/status", 405), ("GET", post, 405)]:
        got, body = checker.call(method, target)
        assert got == status, (method, target, got, body)
        jsonschema.validate(body, error)


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        spec = yaml.safe_load(file)
    validate_spec(spec)
    checker = Checker(spec, sys.argv[2])
    if spec["servers"][0]["x-program"] == "qdt-server":
        check_server(checker, sys.argv[3])
        check_refusals(checker, spec)
    else:
        check_client(checker)
        check_refusals(checker, spec)
        checker.check("post", "/v1/stop", "/v1/stop", 200)
    every = {(method, path) for path, item in spec["paths"].items() for method in item if method != "parameters"}
    assert checker.seen == every, f"not called: {every - checker.seen}"
    print("every call is as the file says")


main()
