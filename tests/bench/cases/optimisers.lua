local article = require "lib.article"

return {
  about = "steps of optimisers on the parameters of the article's second half",
  run = function(ctx)
    local duel = ctx:duel("optimisers", {
      vocab = article.VOCAB, hidden = ctx.quick and 32 or article.HIDDEN, samples = ctx.quick and 1 or 10,
      count = ctx.quick and 1 or 20,
    })
    return ctx:rows(duel, {
      {key = "adam", title = "Adam", unit = "ms", scale = 1e3},
      {key = "sgd", title = "SGD", unit = "ms", scale = 1e3},
      {key = "clip", title = "clip_grad_norm_", unit = "ms", scale = 1e3},
    })
  end,
}
