--- Tensors in files: safetensors, and NumPy's npy.
--
-- A failure of a file (not there, full disk, damaged) returns nil and a message, as Lua's `io`
-- does; wrong use raises. Nothing that stands in a file is ever run. Values are stored as they
-- are, ids too; the device is not stored.
--
-- Saving replaces a file at once or not at all: whatever happens, the old one or the new one is
-- there, whole.
-- @module gru
local core = require "gru.core"

local files = {}

-- The keys of `t` in order, and their values.
local function sorted(t, what)
  local keys, values, by_key = {}, {}, {}
  for key, value in pairs(t) do
    if type(key) ~= "string" then
      error(("save: %s must be strings, got a %s: %s"):format(what, type(key), tostring(key)), 3)
    end
    keys[#keys + 1], by_key[key] = key, value
  end
  table.sort(keys)
  for i, key in ipairs(keys) do values[i] = by_key[key] end
  return keys, values
end

--- Writes tensors to a safetensors file.
--
-- Views, transposed and one-hot tensors are written as they read; gradients and history are not.
-- @function save
-- @usage assert(gru.save(path, net:state_dict(), {epoch = "12"}))
-- @tparam string path
-- @tparam table tensors name -> tensor; names are UTF-8, and not `"__metadata__"`
-- @tparam[opt] table metadata string -> string
-- @treturn[1] boolean true
-- @treturn[2] nil
-- @treturn[2] string what failed
function files.save(path, tensors, metadata)
  if type(tensors) ~= "table" then
    error("save: a table of tensors expected, got "
      .. (core.is_tensor(tensors) and "a tensor: give it a name" or type(tensors)), 2)
  end
  if metadata ~= nil and type(metadata) ~= "table" then
    error("save: metadata must be a table of strings, got " .. type(metadata), 2)
  end
  local names, values = sorted(tensors, "names")
  for i, value in ipairs(values) do
    if not core.is_tensor(value) then
      error(("save: '%s' is a %s; a tensor expected"):format(names[i], type(value)), 2)
    end
  end
  local keys, texts = sorted(metadata or {}, "keys of the metadata")
  for i, text in ipairs(texts) do
    if type(text) ~= "string" then
      error(("save: metadata '%s' is a %s; a string expected, such as tostring gives")
        :format(keys[i], type(text)), 2)
    end
  end
  return core.save(path, names, values, keys, texts)
end

--- Reads a safetensors file.
--
-- Integers of 8 to 32 bits become int64, and U64 where the values fit; F16 and BF16 become
-- float32. Other types that the runtime lacks (F8, C64 ...) are refused by name.
-- @usage local tensors, metadata = assert(gru.load(path))
-- @function load
-- @tparam string path
-- @tparam[opt] string device where the tensors go; the default device unless given
-- @treturn[1] table name -> tensor
-- @treturn[1] table metadata, string -> string; empty where the file has none
-- @treturn[2] nil
-- @treturn[2] string what failed
files.load = core.load

--- Writes one tensor as NumPy's `numpy.save` does.
-- @function save_npy
-- @tparam string path
-- @tparam tensor x
-- @treturn[1] boolean true
-- @treturn[2] nil
-- @treturn[2] string what failed
files.save_npy = core.save_npy

--- Reads a `.npy` file of numbers; types are converted as `load` does.
--
-- An array in Fortran's order comes as a transposed view. Python objects, records and big-endian
-- numbers are refused.
-- @function load_npy
-- @tparam string path
-- @tparam[opt] string device the default device unless given
-- @treturn[1] tensor
-- @treturn[2] nil
-- @treturn[2] string what failed
files.load_npy = core.load_npy

return files
