local article = require "lib.article"

return {
  about = "an epoch of the article's second half: nn.GRU, a linear layer, Adam",
  run = function(ctx) return (article.rows(ctx, "nn")) end,
}
