-- Every public function has a doc comment that says something, and the examples run.
--
-- The comments are read as LDoc reads them (`make doc`): a block begins with `---`; it belongs to the
-- name behind `@function`, or else to the definition that follows.
local gru = require "gru"
local core = require "gru.core"

local nn = gru.nn

local function lines_of(command)
  local list, pipe = {}, assert(io.popen(command))
  for line in pipe:lines() do list[#list + 1] = line end
  pipe:close()
  return list
end

-- The name that a line of code defines, or nil.
local function defined(line)
  return line:match "^local function ([%w_]+)" or line:match "^function [%w_.]-[.:]?([%w_]+)%s*%("
    or line:match "^%s*define%w*%s*%(%s*\"([%w_]+)\"" or line:match "^local ([%w_]+)%s*="
    or line:match "^[%w_.]-%.?([%w_]+)%s*=[^=]"
end

-- The blocks of a file: {name =, text = what it says, usage = {snippets}, at = "file:line"}.
local function blocks_of(path)
  local blocks, block, usage, number = {}, nil, nil, 0
  for line in io.lines(path) do
    number = number + 1
    local comment = line:match "^%s*%-%-%-?(.*)$"
    if line:match "^%s*%-%-%-[^-]" or line:match "^%s*%-%-%-$" then
      block, usage = {text = "", usage = {}, at = path .. ":" .. number}, nil
      blocks[#blocks + 1] = block
    end
    if block and comment then
      local tag, rest = comment:match "^%s*@(%w+)%S*%s*(.*)$"
      if tag then usage = nil end
      if tag == "function" then block.name = rest:match "^[%w_]+" end
      if tag == "module" then block.module = true end
      if tag == "usage" then
        usage = {rest}
        block.usage[#block.usage + 1] = usage
      elseif usage then
        usage[#usage + 1] = comment:gsub("^ ", "")
      elseif not tag and not block.tagged then
        block.text = block.text .. comment
      end
      block.tagged = block.tagged or tag ~= nil
    elseif block then
      block.name = block.name or not block.module and defined(line) or nil
      block = nil
    end
  end
  return blocks
end

-- folder -> name -> where: "gru", "nn", "optim", "text", "doc"
local documented, snippets = {}, {}
for _, path in ipairs(lines_of "find lua/gru doc -name '*.lua' | sort") do
  local folder = path:match "^lua/gru/(%w+)/" or path:match "^lua/(%w+)/" or path:match "^%w+"
  documented[folder] = documented[folder] or {}
  for _, block in ipairs(blocks_of(path)) do
    if block.name and block.text:find "%a" then documented[folder][block.name] = block.at end
    for i, usage in ipairs(block.usage) do
      snippets[#snippets + 1] = {table.concat(usage, "\n"), ("%s, usage %d"):format(block.at, i)}
    end
  end
end

-- ---- what is public ------------------------------------------------------------------------------

local missing, count

-- `folder` is where the comment stands; functions of gru itself may stand in doc, too.
local function want(where, name, folder)
  count = count + 1
  local at = documented[folder][name]
  if folder == "gru" and not at then
    -- x:exp_() is exp, in place: the page of the ops says so once for all
    local op = name:match "^(.+)_$"
    at = documented.doc[name] or op and core.methods[op] and (documented.doc[op] or documented.gru[op])
  end
  if not at then missing[#missing + 1] = where .. name end
end

local function is_class(x)
  return type(x) == "table" and (x.instance or x.defaults or x.arguments or (getmetatable(x) or {}).__call)
end

-- All functions and classes of a table, but for names that begin with an underscore.
local function want_all(where, t, folder)
  for name, value in pairs(t) do
    local public = type(name) == "string" and not name:find "^_"
    if public and (type(value) == "function" or is_class(value)) then want(where, name, folder) end
  end
end

-- What the base classes say a class defines.
local protocol = {
  init = true, forward = true, extra_repr = true, compute = true, -- of modules
  check = true, update = true, -- of optimisers
  next_rate = true, rate_at = true, start = true, -- of schedulers
}

-- The methods that a class adds, but for those.
local function want_methods(where, class, folder)
  for name, value in pairs(class) do
    if type(value) == "function" and not name:find "^_" and not protocol[name] then
      want(where, name, folder)
    end
  end
end

local function report()
  table.sort(missing)
  if #missing > 0 then
    error(("%d of %d are not documented:\n  %s"):format(#missing, count, table.concat(missing, "\n  ")), 0)
  end
  assert.is_true(count > 0)
end

describe("doc comments", function()
  before_each(function() missing, count = {}, 0 end)

  local submodules = {
    "nn", "nn.functional", "nn.init", "nn.utils", "nn.utils.rnn", "optim", "optim.lr_scheduler", "autograd",
    "text", "d2l", "data", "cuda", "train", "checkpoint", "linalg",
  }

  it("of gru", function()
    want_all("gru.", gru, "gru")
    report()
  end)

  for _, path in ipairs(submodules) do
    local t = gru
    for name in path:gmatch "[^.]+" do t = t and t[name] end
    if t then
      it("of gru." .. path, function()
        local folder = path:match "^%w+"
        want_all("gru." .. path .. ".", t, documented[folder] and folder or "gru")
        report()
      end)
    end
  end

  it("of the methods of tensors", function()
    want_all("x:", core.methods, "gru")
    report()
  end)

  it("of modules, optimisers and schedulers", function()
    local Module = nn.Module
    while Module.super and Module.super ~= Module do
      want_methods("Module:", Module, "nn")
      Module = Module.super
    end
    want_methods("Module:", Module, "nn")
    for name, class in pairs(nn) do
      if is_class(class) then want_methods(name .. ":", class, "nn") end
    end
    want_methods("Optimizer:", gru.optim.Optimizer, "optim")
    for name, class in pairs(gru.optim.lr_scheduler) do want_methods(name .. ":", class, "optim") end
    report()
  end)

  it("of the rest: Corpus, Vocab, data sets, autograd.Function, Trainer", function()
    want_methods("Corpus:", gru.text.Corpus, "text")
    want_methods("Vocab:", gru.text.Vocab, "text")
    want_methods("Function:", gru.autograd.Function, "gru")
    want_methods("DataLoader:", getmetatable(gru.data.DataLoader({1})), "gru")
    want_methods("Trainer:", gru.train.Trainer, "train")
    report()
  end)
end)

-- ---- examples --------------------------------------------------------------------------------------

local path, run_path = os.tmpname(), os.tmpname() -- a file of tensors, a checkpoint

-- What an example may use without saying where it comes from.
local function environment()
  local model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))
  local optimizer = gru.optim.SGD(model:parameters(), {lr = 0.1, momentum = 0.9})
  local step_lr = gru.optim.lr_scheduler.StepLR
  local loss = model(gru.ones(2, 3)):sum()
  local env = {
    gru = gru, nn = nn, F = nn.functional, optim = gru.optim, print = function() end,
    x = gru.rand(2, 3, {requires_grad = true}), y = gru.rand(2, 3), a = gru.ones(2, 3), b = gru.ones(2, 3),
    ids = gru.tensor({1, 2}), mask = gru.tensor({true, false}), weight = gru.rand(4, 3),
    logits = gru.rand(2, 3), targets = gru.tensor({1, 3}), input = gru.rand(5, 2, 27), h = gru.rand(2, 4),
    model = model, net = model, optimizer = optimizer, loss = loss, path = path, run = run_path,
    warmup = step_lr(optimizer, 1), cosine = step_lr(optimizer, 2), step = function(x) return x:sum() end,
    corpus = {indices = gru.arange(1, 3000) % 20 + 1}, self = {}, cell = nn.GRUCell(3, 4),
    loader = gru.data.DataLoader(gru.data.TensorDataset(gru.rand(4, 3), gru.rand(4)), {batch_size = 2}),
  }
  return setmetatable(env, {__index = _G})
end

local function run(text, name)
  local f = assert(load(text, "=" .. name, "t", environment()))
  gru.manual_seed(0)
  f()
end

describe("examples", function()
  local default_dtype, default_device

  setup(function()
    default_dtype, default_device = gru.get_default_dtype(), gru.get_default_device()
    assert(gru.save(path, {x = gru.ones(2)}))
    local env = environment()
    assert(gru.checkpoint.save(run_path, {model = env.net, optimizer = env.optimizer, epoch = 3}))
  end)
  teardown(function()
    os.remove(path)
    os.remove(run_path)
  end)
  after_each(function()
    gru.set_default_dtype(default_dtype)
    gru.set_default_device(default_device)
    gru.set_grad_enabled(true)
  end)

  it("are there", function() assert.is_true(#snippets > 40) end)

  for _, snippet in ipairs(snippets) do
    it("of " .. snippet[2], function() run(snippet[1], snippet[2]) end)
  end

  local file = assert(io.open "README.md")
  local readme, n = file:read "a", 0
  file:close()
  for text in readme:gmatch "```lua\n(.-)\n```" do
    n = n + 1
    it("number " .. n .. " of README.md", function() run(text, "README.md") end)
  end

  it("beside PyTorch's in README.md: twenty lines, as one script", function()
    local rows, saved = {}, os.tmpname()
    for python, lua in readme:gmatch "\n| `([^\n]*)` | `([^\n]*)` |" do
      assert.truthy(python:find "[%w_]")
      rows[#rows + 1] = lua:gsub("rnn%.safetensors", saved)
    end
    assert.equal(20, #rows)
    run(table.concat(rows, "\n"), "README.md, the table")
    assert.truthy(assert(gru.load(saved)).weight_ih_l1)
    os.remove(saved)
  end)
end)
