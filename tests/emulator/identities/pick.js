// Prints the access key id that the default chain of @alicloud/credentials yields. The library knows no proxy, so that
// every HTTPS request is sent to the emulator here, under the name of the host that it was meant for.
const https = require('https');
const { default: Credential } = require('@alicloud/credentials');

const { hostname, port } = new URL(process.env.EMULATOR_API);
const { request } = https;
https.request = (options) => request({
  ...options, host: hostname, port, servername: options.host, headers: { ...options.headers, host: options.host },
});

new Credential().getCredential().then(({ accessKeyId }) => ({ id: accessKeyId }), ({ message }) => ({ error: message }))
  .then((said) => console.log(JSON.stringify(said)));
