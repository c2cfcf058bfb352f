"""A web server for decoy_proxy.sh: says what it was asked, and misbehaves on request."""
import http.server
import sys
import time


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self):
        path = self.path.split("?")[0]
        if path == "/slow":
            time.sleep(8)
        if path == "/garbage":
            self.wfile.write(b"SSH-2.0-OpenSSH_9.2\r\n")
            self.close_connection = True
            return
        if path == "/early":
            self.wfile.write(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc")
            self.close_connection = True
            return
        body = b"x" * 3_000_000 if path == "/huge" else b"page of the upstream\n"
        self.send_response(200 if path == "/" else 404)
        self.send_header("X-Powered-By", "upstream")
        self.send_header("Content-Type", "text/plain")
        if path == "/chunked":
            self.send_header("Transfer-Encoding", "chunked")
            body = b"5\r\npage \r\n6\r\nparts\n\r\n0\r\n\r\n"
        else:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def __getattr__(self, name):
        if name.startswith("do_"):
            return self.answer
        raise AttributeError(name)

    def log_message(self, format, *args):
        print(self.command, self.path, dict(self.headers), flush=True)


print("ready", flush=True)
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
