std = "lua54"
max_line_length = 110
self = false -- methods need not use self
ignore = {"581"} -- not (x <= y) is not x > y where a NaN comes by
exclude_files = {"tests/golden"} -- written by programs

files["tests"] = {std = "+busted"}
