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


def check_client(checker):
    checker.check("get", "/v1/status", "/v1/status", 200)
    checker.check("post", "/v1/reconnect", "/v1/reconnect", 400, "{}")
    checker.check("post", "/v1/reconnect", "/v1/reconnect", 200)
    checker.check("post", "/v1/stop", "/v1/stop", 400, "[")


def check_refusals(checker, spec):
    error = as_json_schema(spec["components"]["schemas"]["Error"])
    post = next(path for path, item in spec["paths"].items() if "post" in item)
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
    every = {(method, path) for path, item in spec["paths"].items() for method in item}
    assert checker.seen == every, f"not called: {every - checker.seen}"
    print("every call is as the file says")


main()
