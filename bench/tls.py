"""An upstream over TLS, as 1min.ai is: nginx, which decrypts for the simulator and logs each request."""

import shutil
import os
import subprocess
from pathlib import Path

FRONT = """
worker_processes 1; daemon off; error_log stderr crit; pid {folder}/front.pid;
events {{ worker_connections 8192; }}
http {{
  log_format uses '$connection $ssl_session_reused $server_protocol';
  access_log {folder}/front.log uses; keepalive_requests 100000000; keepalive_timeout 75s;
  client_body_temp_path {folder}/front-body; proxy_temp_path {folder}/front-proxy;
  fastcgi_temp_path {folder}/front-f; uwsgi_temp_path {folder}/front-u; scgi_temp_path {folder}/front-s;
  upstream simulator {{ server 127.0.0.1:{upstream}; keepalive 512; keepalive_requests 100000000; }}
  server {{
    listen 127.0.0.1:{port} ssl http2 backlog=4096; tcp_nodelay on; client_max_body_size 64m;
    ssl_certificate {folder}/server.pem; ssl_certificate_key {folder}/server.key;
    ssl_protocols TLSv1.2 TLSv1.3; ssl_session_cache shared:tls:10m;
    location / {{ proxy_pass http://simulator; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_buffering off; }}
  }}
}}
"""

# nginx as the client of that front, as it would be in the relay's place.
CLIENT = """
worker_processes auto; daemon off; error_log stderr crit; pid {folder}/client.pid;
events {{ worker_connections 8192; }}
http {{
  access_log off; keepalive_requests 100000000;
  client_body_temp_path {folder}/client-body; proxy_temp_path {folder}/client-proxy;
  fastcgi_temp_path {folder}/client-f; uwsgi_temp_path {folder}/client-u; scgi_temp_path {folder}/client-s;
  upstream front {{ server 127.0.0.1:{upstream}; keepalive 512; keepalive_requests 100000000; }}
  server {{
    listen 127.0.0.1:{port} backlog=4096; tcp_nodelay on; client_max_body_size 64m;
    location / {{
      proxy_pass https://front; proxy_ssl_trusted_certificate {folder}/authority.pem; proxy_ssl_verify on;
      proxy_ssl_name 127.0.0.1; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_buffering off;
    }}
  }}
}}
"""


def certify(folder):
    """An authority in authority.pem, and a certificate of 127.0.0.1 by it."""
    def openssl(*words):
        subprocess.run(["openssl", *map(str, words)], cwd=folder, check=True, capture_output=True)

    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    openssl("req", "-x509", *curve, "-keyout", "authority.key", "-out", "authority.pem", "-subj", "/CN=bench", "-days", 2)
    openssl("req", *curve, "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=127.0.0.1")
    (folder / "names").write_text("subjectAltName=IP:127.0.0.1,DNS:127.0.0.1\n")
    openssl("x509", "-req", "-in", "server.csr", "-CA", "authority.pem", "-CAkey", "authority.key", "-CAcreateserial",
            "-out", "server.pem", "-days", 2, "-extfile", "names")


def nginx(folder, name, text, port, upstream):
    """The command of an nginx by one of the two configurations above."""
    conf = folder / f"{name}.conf"
    conf.write_text(text.format(folder=folder, port=port, upstream=upstream))
    return [shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin"), "-c", conf, "-p", folder]


def uses(folder):
    """(requests, connections, of these by a resumed session) that the front has logged so far."""
    lines = [line.split() for line in (Path(folder) / "front.log").read_text().splitlines()]
    connections = {number: reused for number, reused, _ in lines}
    return len(lines), len(connections), sum(reused == "r" for reused in connections.values())
