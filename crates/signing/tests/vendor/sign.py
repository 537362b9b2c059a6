"""Signs with the vendor's own SDKs: a case a line on standard input, the request that the SDK would have sent a line on standard output.

A case: {"client", "method", "action", "version", "id", "secret", "token" or null, "query": {..}, "form": {..}}. Values are strings, lists, and
objects. A request: {"method", "target", "headers": [[name, value]], "body"}.
"""

import json
import logging
import sys

import requests
from alibabacloud_tea_openapi import models
from alibabacloud_tea_openapi.client import Client
from alibabacloud_tea_openapi.utils import Utils
from aliyunsdkcore.auth.credentials import StsTokenCredential
from aliyunsdkcore.client import AcsClient
from aliyunsdkcore.request import RoaRequest, RpcRequest
from aliyunsdkcore.vendored import requests as vendored
from darabonba.runtime import RuntimeOptions

logging.disable(logging.CRITICAL)
HOST = "127.0.0.1:5000"


class Sent(BaseException):
    """Carries a request out of an SDK in the moment that it would be sent; no handler of the SDK catches it."""


def catch(self, request, **settings):
    raise Sent(request)


requests.Session.send = catch
vendored.Session.send = catch


def tea(case, algorithm, pathname="/", style="RPC"):
    client = Client(models.Config(access_key_id=case["id"], access_key_secret=case["secret"], security_token=case["token"],
                                  endpoint=HOST, protocol="http", region_id="local", signature_algorithm=algorithm))
    params = models.Params(action=case["action"], version=case["version"], protocol="HTTP", method=case["method"], auth_type="AK", style=style,
                           pathname=pathname, req_body_type="formData", body_type="json")
    request = models.OpenApiRequest(query=Utils.query(case["query"]), body=case["form"] or None)
    client.call_api(params, request, RuntimeOptions())


def core(case, request):
    if case["token"]:
        client = AcsClient(region_id="local", credential=StsTokenCredential(case["id"], case["secret"], case["token"]))
    else:
        client = AcsClient(case["id"], case["secret"], "local")
    request.set_endpoint(HOST)
    request.set_method(case["method"])
    for name, value in Utils.query(case["query"]).items():
        request.add_query_param(name, value)
    client.do_action_with_exception(request)


def core_rpc(case):
    request = RpcRequest("cr", case["version"], case["action"])
    for name, value in Utils.query(case["form"]).items():
        request.add_body_params(name, value)
    core(case, request)


def core_roa(case):
    core(case, RoaRequest("cr", case["version"], case["action"], uri_pattern="/tokens"))


CLIENTS = {
    "tea-v3": lambda case: tea(case, None),
    "tea-v3-roa": lambda case: tea(case, None, "/tokens", "ROA"),
    "tea-v2": lambda case: tea(case, "v2"),
    "tea-v2-roa": lambda case: tea(case, "v2", "/tokens", "ROA"),
    "core-v1": core_rpc,
    "core-roa": core_roa,
}


def sign(case):
    try:
        CLIENTS[case["client"]](case)
    except Sent as sent:
        request = sent.args[0]
        text = lambda value: value.decode() if isinstance(value, bytes) else value
        return {
            "method": text(request.method),
            "target": request.path_url,
            "headers": [[text(name), text(value)] for name, value in request.headers.items()],
            "body": text(request.body or ""),
        }
    raise AssertionError("nothing was sent")


for line in sys.stdin:
    print(json.dumps(sign(json.loads(line))), flush=True)
