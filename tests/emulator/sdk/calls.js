// Calls the emulator as any user of the official SDK calls the cloud. The calls come as JSON in argv[2]; what became of
// each goes to stdout: {"body"} or {"code"}.
const { default: Client, Config, OpenApiRequest, Params } = require('@alicloud/openapi-client');
const { RuntimeOptions } = require('@alicloud/tea-util');

async function call({ endpoint, key, action, version, style, method, pathname, query }) {
  const client = new Client(new Config({
    accessKeyId: key.id, accessKeySecret: key.secret, securityToken: key.token, endpoint, protocol: 'HTTPS',
  }));
  const params = new Params({
    action, version, style, method, pathname, protocol: 'HTTPS', authType: 'AK', reqBodyType: 'json', bodyType: 'json',
  });
  try {
    const answer = await client.callApi(params, new OpenApiRequest({ query }), new RuntimeOptions({ autoretry: false }));
    return { body: answer.body };
  } catch (error) {
    return { code: error.code || String(error) };
  }
}

(async () => {
  const results = [];
  for (const each of JSON.parse(process.argv[2])) results.push(await call(each));
  process.stdout.write(JSON.stringify(results));
})();
