"""Calls the vendor's Python SDKs as typed clients: a call a line on standard input, what it came to a line on standard output.

argv[1] is a JSON object: {"client": "tea" or "core", "algorithm": null or "v2", "endpoint", "protocol", "ca": null or file, "id", "secret", "token": null
or text, "credential": null or the settings of alibabacloud-credentials or "default": its default chain}.
A call: {"product": "cr", "action": "ListInstance", "params": {..}}. It came to {"ok": body} or {"error": {"code", "status", "message", ..}}.
"""

import importlib
import inspect
import json
import logging
import sys

logging.disable(logging.CRITICAL)
SETTINGS = json.loads(sys.argv[1])
TEA = {"cr": "alibabacloud_cr20181201", "sts": "alibabacloud_sts20150401", "ram": "alibabacloud_ram20150501", "ims": "alibabacloud_ims20190815"}
CORE = {"cr": "aliyunsdkcr.request.v20181201", "sts": "aliyunsdksts.request.v20150401", "ram": "aliyunsdkram.request.v20150501"}


def tea_client(product):
    from alibabacloud_credentials import client as credentials
    from alibabacloud_credentials import models as credential_models
    from alibabacloud_tea_openapi import models

    config = models.Config(endpoint=SETTINGS["endpoint"], protocol=SETTINGS["protocol"], region_id="local", ca=SETTINGS["ca"],
                           signature_algorithm=SETTINGS["algorithm"])
    if SETTINGS.get("credential") == "default":
        config.credential = credentials.Client()
    elif SETTINGS.get("credential"):
        config.credential = credentials.Client(credential_models.Config(**SETTINGS["credential"]))
    else:
        config.access_key_id, config.access_key_secret, config.security_token = SETTINGS["id"], SETTINGS["secret"], SETTINGS["token"]
    return importlib.import_module(TEA[product] + ".client").Client(config)


def tea(call):
    client = CLIENTS.setdefault(call["product"], None) or tea_client(call["product"])
    CLIENTS[call["product"]] = client
    models = importlib.import_module(TEA[call["product"]] + ".models")
    methods = {name.replace("_", ""): name for name in dir(client) if not name.startswith("_")}
    method = getattr(client, methods[call["action"].lower()])
    arguments = []
    if inspect.signature(method).parameters:
        request = getattr(models, call["action"] + "Request")()
        request.from_map(call["params"])
        arguments = [request]
    return method(*arguments).body.to_map()


def tea_error(error):
    data = getattr(error, "data", None) or {}
    return {
        "code": getattr(error, "code", None) or type(error).__name__,
        "status": getattr(error, "status_code", None) or data.get("statusCode"),
        "message": getattr(error, "message", None) or str(error),
        "kind": type(error).__name__,
        "denied": getattr(error, "access_denied_detail", None),
        "retry_after": getattr(error, "retry_after", None),
        "data": {name: value for name, value in data.items() if isinstance(value, (str, int, bool))},
    }


def core_client():
    from aliyunsdkcore.auth.credentials import StsTokenCredential
    from aliyunsdkcore.client import AcsClient

    verify = {"verify": SETTINGS["ca"]} if SETTINGS["ca"] else {}
    if SETTINGS["token"]:
        credential = StsTokenCredential(SETTINGS["id"], SETTINGS["secret"], SETTINGS["token"])
        return AcsClient(region_id="local", credential=credential, **verify)
    return AcsClient(SETTINGS["id"], SETTINGS["secret"], "local", **verify)


def core(call):
    client = CLIENTS.setdefault("core", None) or core_client()
    CLIENTS["core"] = client
    name = call["action"] + "Request"
    request = getattr(importlib.import_module(f"{CORE[call['product']]}.{name}"), name)()
    request.set_endpoint(SETTINGS["endpoint"])
    request.set_protocol_type(SETTINGS["protocol"])
    for param, value in call["params"].items():
        getattr(request, "set_" + param, lambda value: request.add_query_param(param, value))(value)
    if call.get("format") == "XML":
        request.set_accept_format("XML")
        return {"xml": client.do_action(request).decode()}
    return json.loads(client.do_action_with_exception(request))


def core_error(error):
    return {
        "code": getattr(error, "error_code", None) or type(error).__name__,
        "status": getattr(error, "http_status", None),
        "message": getattr(error, "message", None) or str(error),
        "kind": type(error).__name__,
    }


CLIENTS = {}
CALL, ERROR = {"tea": (tea, tea_error), "core": (core, core_error)}[SETTINGS["client"]]
for line in sys.stdin:
    try:
        said = {"ok": CALL(json.loads(line))}
    except Exception as error:  # whatever a client throws is what the test looks at
        said = {"error": ERROR(error)}
    print(json.dumps(said, default=str), flush=True)
