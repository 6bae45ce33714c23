--- A table of vectors, looked up by id.
-- @module gru.nn.embedding
local args = require "gru.args"
local core = require "gru.core"
local functional = require "gru.nn.functional"
local module = require "gru.nn.module"

--- Rows of a matrix by id, as `torch.nn.Embedding`.
--
-- `weight` (num_embeddings, embedding_dim) is drawn from N(0, 1).  The row `padding_idx` is set to 0
-- then and gets no gradient.
-- @function Embedding
-- @tparam integer num_embeddings
-- @tparam integer embedding_dim
-- @tparam[opt] table options `padding_idx` (a row, from 1 on or from the end where negative),
-- `dtype`, `device`
-- @usage local vectors = nn.Embedding(1027, 64)(ids)
local Embedding = module.Module:extend("Embedding")

local known = {
  num_embeddings = true, embedding_dim = true, padding_idx = true, dtype = true, device = true,
  weight = true,
}

-- The row as 1 .. V, or nil.
local function padding_row(padding, V, level)
  if padding == nil then return nil end
  if math.type(padding) ~= "integer" or padding == 0 or padding > V or padding < -V then
    error(("Embedding: padding_idx must be in 1 .. %d, or negative from the end, got %s")
      :format(V, tostring(padding)), level + 1)
  end
  return padding < 0 and padding + V + 1 or padding
end

local function draw(self, options)
  local weight = core.empty({self.num_embeddings, self.embedding_dim}, options.dtype, options.device)
  weight:normal_(0, 1)
  if self.padding_idx then weight[self.padding_idx]:fill_(0) end
  return weight
end

function Embedding:init(num_embeddings, embedding_dim, options)
  if type(num_embeddings) == "table" then
    options = num_embeddings
    num_embeddings, embedding_dim = options.num_embeddings, options.embedding_dim
  end
  options = args.options("Embedding", options, known, 4)
  args.layer("Embedding", options, {})
  self.num_embeddings, self.embedding_dim = num_embeddings, embedding_dim
  for _, name in ipairs {"num_embeddings", "embedding_dim"} do
    local value = self[name]
    if math.type(value) ~= "integer" or value < 1 then
      error(("Embedding: %s must be a positive integer, got %s"):format(name, tostring(value)), 3)
    end
  end
  self.padding_idx = padding_row(options.padding_idx, num_embeddings, 3)
  local given = options.weight
  if given ~= nil and not (core.is_tensor(given) and given:dim() == 2
    and given:size(1) == num_embeddings and given:size(2) == embedding_dim) then
    error(("Embedding: weight must be a tensor [%d, %d], got %s"):format(num_embeddings, embedding_dim,
      core.is_tensor(given) and "[" .. table.concat(given.shape, ", ") .. "]" or type(given)), 3)
  end
  self.weight = module.Parameter(options.weight or draw(self, options))
end

--- An embedding over given rows.
-- @param weight (V, E), floats; shared, not copied
-- @tparam[opt] table options `freeze` (true: no gradient), `padding_idx`
function Embedding.from_pretrained(weight, options)
  options = args.options("Embedding.from_pretrained", options, {freeze = true, padding_idx = true})
  if not core.is_tensor(weight) or weight:dim() ~= 2 then
    error("Embedding.from_pretrained: a tensor of 2 dims expected, got "
      .. (core.is_tensor(weight) and weight:dim() .. " dims" or type(weight)), 2)
  elseif weight.dtype ~= "float32" and weight.dtype ~= "float64" then
    error("Embedding.from_pretrained: wants floats, got " .. weight.dtype, 2)
  end
  padding_row(options.padding_idx, weight:size(1), 2)
  local self = Embedding(weight:size(1), weight:size(2),
    {weight = weight, padding_idx = options.padding_idx})
  if options.freeze ~= false then self.weight:requires_grad_(false) end
  return self
end

--- @param ids int64, any shape
-- @return (shape of ids, embedding_dim)
function Embedding:forward(ids)
  return functional.embedding(ids, self.weight, self.padding_idx)
end

function Embedding:extra_repr()
  local text = ("%d, %d"):format(self.num_embeddings, self.embedding_dim)
  return self.padding_idx and text .. ", padding_idx=" .. self.padding_idx or text
end

return Embedding
