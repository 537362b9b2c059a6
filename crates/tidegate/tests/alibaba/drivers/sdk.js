// Calls the vendor's npm SDKs, by the protocol of sdk.py. "client" is "pop" (pop-core, "method" GET or POST) or "tea" (the generated clients for sts and
// ram; for cr, which npm does not have, what a generated client calls).
'use strict';
const readline = require('readline');
const settings = JSON.parse(process.argv[2]);
const VERSIONS = { cr: '2018-12-01', sts: '2015-04-01', ram: '2015-05-01' };
const clients = {};

function pop(product) {
  const { RPCClient } = require('@alicloud/pop-core');
  return new RPCClient({
    accessKeyId: settings.id, accessKeySecret: settings.secret, securityToken: settings.token || undefined,
    endpoint: `${settings.protocol}://${settings.endpoint}`, apiVersion: VERSIONS[product],
  });
}

async function popCall({ product, action, params }) {
  clients[product] = clients[product] || pop(product);
  return clients[product].request(action, params, { method: settings.method, timeout: 10000, formatParams: false });
}

const camel = (name) => name.charAt(0).toLowerCase() + name.slice(1);

// The fields of a request class by the names that they have on the wire.
function fieldsOf(request, params) {
  const fields = Object.fromEntries(Object.entries(request.names()).map(([field, name]) => [name, field]));
  return Object.fromEntries(Object.entries(params).map(([name, value]) => [fields[name] || name, value]));
}

async function teaCall({ product, action, params }) {
  const openapi = require('@alicloud/openapi-client');
  const util = require('@alicloud/tea-util');
  const config = new openapi.Config({
    accessKeyId: settings.id, accessKeySecret: settings.secret, securityToken: settings.token || undefined,
    endpoint: settings.endpoint, protocol: settings.protocol.toUpperCase(), regionId: 'local', signatureAlgorithm: settings.algorithm || undefined,
  });
  if (product === 'cr') {
    const client = new openapi.default(config);
    const call = new openapi.Params({
      action, version: VERSIONS.cr, protocol: 'HTTPS', pathname: '/', method: 'POST', authType: 'AK', style: 'RPC', reqBodyType: 'formData', bodyType: 'json',
    });
    const query = Object.fromEntries(Object.entries(params).map(([name, value]) => [name, typeof value === 'string' ? value : JSON.stringify(value)]));
    return (await client.callApi(call, new openapi.OpenApiRequest({ query }), new util.RuntimeOptions({}))).body;
  }
  const sdk = require(product === 'sts' ? '@alicloud/sts20150401' : '@alicloud/ram20150501');
  const client = new sdk.default(config);
  const request = sdk[`${action}Request`];
  const answer = request ? await client[camel(action)](new request(fieldsOf(request, params))) : await client[camel(action)]();
  return answer.body.toMap ? answer.body.toMap() : answer.body;
}

const call = settings.client === 'pop' ? popCall : teaCall;
function failed(error) {
  const data = error.data || {};
  return { code: error.code || error.name, status: data.statusCode || data.httpCode || error.statusCode || null, message: error.message, data };
}

(async () => {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    let said;
    try {
      said = { ok: await call(JSON.parse(line)) };
    } catch (error) {
      said = { error: failed(error) };
    }
    console.log(JSON.stringify(said));
  }
})();
