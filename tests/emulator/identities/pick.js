// Prints the access key id that the default chain of the official Node library yields.
const Credential = require('@alicloud/credentials').default;

(async () => {
  try {
    const found = await new Credential().getCredential();
    console.log(JSON.stringify({ id: found.accessKeyId }));
  } catch (error) {
    console.log(JSON.stringify({ error: error.message }));
  }
})();
