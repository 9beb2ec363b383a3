// Asks the server named first, by the npm client libretranslate as it is: node ask.js URL '{"query": …}'. Prints JSON.
const { translate } = require("libretranslate");
const [apiurl, asked] = process.argv.slice(2);
translate({ apiurl, ...JSON.parse(asked) }).then(
  (said) => console.log(JSON.stringify({ said: said === undefined ? null : said })),
  (error) => console.log(JSON.stringify({ error: error.message })),
);
