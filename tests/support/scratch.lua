--- A folder for files, and what is done with them there: `local scratch = new_scratch()`, then
-- `scratch.folder`; `scratch.remove()` in a teardown.

local function read(path)
  local file = assert(io.open(path, "rb"))
  local bytes = file:read "a"
  file:close()
  return bytes
end

local function write(path, bytes)
  local file = assert(io.open(path, "wb"))
  assert(file:write(bytes))
  file:close()
end

-- What a command prints, to either stream, and its exit status.
local function shell(command)
  local pipe = assert(io.popen(command .. " 2>&1"))
  local out = pipe:read "a"
  local _, _, status = pipe:close()
  return out, status
end

-- The names in a folder, hidden ones too, a space behind each.
local function list(folder) return (shell("ls -A " .. folder):gsub("\n", " ")) end

return function()
  local folder = os.tmpname()
  os.remove(folder)
  assert(os.execute("mkdir " .. folder))
  return {
    folder = folder, read = read, write = write, shell = shell, list = list,
    remove = function() os.execute("rm -rf " .. folder) end,
  }
end
