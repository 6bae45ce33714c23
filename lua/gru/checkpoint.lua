--- The state of a training run in one file, so that it can go on as if it had never stopped.
--
--     gru.checkpoint.save("run.safetensors", {model = model, optimizer = optimizer, epoch = epoch})
--
--     local saved = assert(gru.checkpoint.restore("run.safetensors", {model = model, optimizer = optimizer}))
--     for epoch = saved.epoch + 1, 100 do ... end
--
-- The file is a safetensors file (`gru.load` reads it, and so does Python): tensors under the names of
-- the tables that they stand in, `model.rnn.weight_ih_l0`; everything else as JSON in the metadata:
--
-- * `format` is "gru.checkpoint", `version` "1";
-- * `index_base` is "1": ids in it count from 1;
-- * `state` is the table that was saved.  A tensor is `{"$tensor": name}`, a table with keys that are
--   not strings `{"$items": [[key, value], ...]}`.
--
-- Reading a file runs nothing that stands in it, and writing one replaces the old one at once or not at
-- all.  What was saved comes back bit for bit.
-- @module gru.checkpoint
local core = require "gru.core"
local files = require "gru.files"
local json = require "gru.json"

local checkpoint = {}

local FORMAT, VERSION, INDEX_BASE = "gru.checkpoint", "1", "1"
local DEPTH = 60 -- of tables; each may be three levels of JSON

-- Has a table this method?  (A plain table may hold a state under the name `state_dict`.)
local function has(value, method)
  return type(value) == "table" and type(value[method]) == "function"
end

-- ---- tables to text ------------------------------------------------------------------------------

local function fail(where, message, ...)
  error(("checkpoint.save: %s: %s"):format(where, message:format(...)), 0)
end

local plain -- a value as JSON has it

-- The keys of a table, if they are strings alone, or else whether they are 1 .. n.
local function kind_of(t)
  local n, strings = 0, true
  for key in pairs(t) do
    n = n + 1
    strings = strings and type(key) == "string" and key:sub(1, 1) ~= "$"
  end
  return strings and "object" or n == #t and "list" or "items"
end

local function plain_table(t, where, into, depth)
  local kind, out, order = kind_of(t), {}, {}
  for key in pairs(t) do order[#order + 1] = key end
  if kind == "items" then -- integers in order, then strings
    table.sort(order, function(a, b)
      if type(a) == type(b) then return a < b end
      return type(a) == "number"
    end)
  end
  for i, key in ipairs(order) do
    if math.type(key) ~= "integer" and type(key) ~= "string" then
      fail(where, "keys must be strings or integers, got a %s", math.type(key) or type(key))
    elseif type(key) == "string" and not utf8.len(key) then
      fail(where, "a key is not UTF-8")
    end
    local value = plain(t[key], where == "" and tostring(key) or where .. "." .. key, into, depth)
    if kind == "items" then
      out[i] = {key, value}
    else
      out[key] = value
    end
  end
  return kind == "items" and {["$items"] = out} or out
end

local function plain_tensor(x, where, into)
  local name = where
  while into[name] do name = name .. "'" end -- {a = {b = x}, ["a.b"] = y}
  into[name] = x
  return {["$tensor"] = name}
end

function plain(value, where, into, depth)
  local kind = type(value)
  if core.is_tensor(value) then return plain_tensor(value, where, into) end
  if kind == "table" then
    if depth > DEPTH then fail(where, "more than %d tables in each other", DEPTH) end
    if has(value, "state_dict") then return plain(value:state_dict(), where, into, depth + 1) end
    if getmetatable(value) then
      fail(where, "an object without state_dict; save what it can be made from again")
    end
    return plain_table(value, where, into, depth + 1)
  elseif kind == "string" and not utf8.len(value) then
    fail(where, "a string that is not UTF-8; bytes go into a tensor")
  elseif kind ~= "string" and kind ~= "number" and kind ~= "boolean" then
    fail(where, "a %s cannot be saved", kind)
  end
  return value
end

--- Writes a state, and the state of the generator with it.
-- @usage assert(gru.checkpoint.save(path, {model = net, optimizer = optimizer, vocab = {"a", "b"}}))
-- @tparam string path
-- @tparam table state name -> value: tensors, numbers, strings, booleans, tables of these, and whatever has a
-- `state_dict` (modules, optimisers, schedulers, loaders), which is saved as that; `generator` is the
-- generator's name
-- @treturn[1] boolean true
-- @treturn[2] nil
-- @treturn[2] string what failed
function checkpoint.save(path, state)
  if type(path) ~= "string" then error("checkpoint.save: a path expected, got " .. type(path), 2) end
  if type(state) ~= "table" or has(state, "state_dict") or getmetatable(state) then
    error("checkpoint.save: a table by name expected, {model = ...}, got "
      .. (type(state) == "table" and "an object" or type(state)), 2)
  end
  local all, tensors = {generator = core.get_rng_state()}, {}
  for name, value in pairs(state) do
    if type(name) ~= "string" then
      error(("checkpoint.save: names must be strings, got a %s: %s"):format(type(name), tostring(name)), 2)
    elseif name == "generator" then
      error("checkpoint.save: the name 'generator' is taken by the generator's own state", 2)
    end
    all[name] = value
  end
  local ok, tree = pcall(plain, all, "", tensors, 1)
  if not ok then error(tree, 2) end
  return files.save(path, tensors, {
    format = FORMAT, version = VERSION, index_base = INDEX_BASE, state = json.encode(tree),
  })
end

-- ---- text to tables ------------------------------------------------------------------------------

local revive -- the value of JSON

-- The table of `{"$items": [[key, value], ...]}`.
local function revive_items(items, take)
  local out = {}
  if type(items) ~= "table" then error({"'$items' is no list"}, 0) end
  for _, item in ipairs(items) do
    local key = type(item) == "table" and item[1]
    if math.type(key) ~= "integer" and type(key) ~= "string" or item[2] == nil or out[key] ~= nil then
      error({"'$items' holds no pairs of keys and values"}, 0)
    end
    out[key] = revive(item[2], take)
  end
  return out
end

function revive(value, take)
  if type(value) ~= "table" then return value end
  if value["$tensor"] ~= nil then return take(value["$tensor"]) end
  if value["$items"] ~= nil then return revive_items(value["$items"], take) end
  local out = {}
  for key, item in pairs(value) do out[key] = revive(item, take) end
  return out
end

-- What is wrong with a file of these metadata, or nil.
local function wrong_metadata(metadata)
  if metadata.format ~= FORMAT then
    return "no checkpoint: a file of tensors, which gru.load reads"
  elseif metadata.version ~= VERSION then
    return ("a checkpoint of version %s; this library knows version %s"):format(metadata.version, VERSION)
  elseif metadata.index_base ~= INDEX_BASE then
    return ("ids that count from %s; this library counts from %s"):format(metadata.index_base, INDEX_BASE)
  elseif not metadata.state then
    return "a checkpoint without its state"
  end
end

-- The state in a file's tensors and metadata; or nil and what is wrong.
local function read(tensors, metadata)
  local problem = wrong_metadata(metadata)
  if problem then return nil, problem end
  local tree, message = json.decode(metadata.state)
  if type(tree) ~= "table" then return nil, "its state is damaged: " .. (message or "no table") end
  local used = {}
  local ok, state = pcall(revive, tree, function(name)
    if not tensors[name] then error({("the tensor '%s' is missing"):format(tostring(name))}, 0) end
    used[name] = true
    return tensors[name]
  end)
  if not ok then
    if type(state) ~= "table" then error(state, 0) end -- an interrupt, say
    return nil, "its state is damaged: " .. state[1]
  end
  for name in pairs(tensors) do
    if not used[name] then
      return nil, ("its state is damaged: nothing refers to the tensor '%s'"):format(name)
    end
  end
  if not core.is_tensor(state.generator) then return nil, "its state is damaged: no generator" end
  return state
end

--- Reads what `save` wrote, as plain tables and tensors.
-- @usage local saved = assert(gru.checkpoint.load(run))
-- print(saved.epoch, saved.model["0.weight"], saved.generator)
-- @tparam string path
-- @tparam[opt] string device where the tensors go; the default device unless given
-- @treturn[1] table what was saved, with `state_dict`s in the place of objects; `generator` is for
-- `gru.set_rng_state`
-- @treturn[2] nil
-- @treturn[2] string what failed: no such file, no checkpoint, a newer version, damage
function checkpoint.load(path, device)
  local tensors, metadata = files.load(path, device)
  if not tensors then return nil, metadata end
  local state, problem = read(tensors, metadata)
  if not state then return nil, ("checkpoint: %s: %s"):format(path, problem) end
  return state
end

--- Reads what `save` wrote and hands it out: `objects.model:load_state_dict(saved.model)` and so on; then
-- puts the generator where it stood.
-- @usage local saved = assert(gru.checkpoint.restore(run, {model = net, optimizer = optimizer}))
-- @tparam string path
-- @tparam table objects name -> what has `load_state_dict`; an object that its state does not fit raises
-- @treturn[1] table as of `load`
-- @treturn[2] nil
-- @treturn[2] string what failed; nothing is changed then
function checkpoint.restore(path, objects)
  if type(objects) ~= "table" or has(objects, "load_state_dict") then
    error("checkpoint.restore: a table of objects by name expected, {model = ...}, got "
      .. (type(objects) == "table" and "an object" or type(objects)), 2)
  end
  local names = {}
  for name, object in pairs(objects) do
    if not has(object, "load_state_dict") then
      error(("checkpoint.restore: '%s' has no load_state_dict"):format(tostring(name)), 2)
    end
    names[#names + 1] = tostring(name)
  end
  table.sort(names) -- model before optimizer before scheduler
  local saved, message = checkpoint.load(path)
  if not saved then return nil, message end
  for _, name in ipairs(names) do
    if type(saved[name]) ~= "table" then
      return nil, ("checkpoint: %s: it holds no '%s'"):format(path, name)
    end
  end
  for _, name in ipairs(names) do objects[name]:load_state_dict(saved[name]) end
  core.set_rng_state(saved.generator)
  return saved
end

return checkpoint
