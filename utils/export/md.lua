-- pandoc lua md.lua IN OUT: all Markdown, LaTeX and HTML of a notebook to Typst in one process, every part on its own.
--
-- IN:  { formulas: [{ tex, display, source, macros }], parts: [{ text, format }] }
-- OUT: { formulas: [{ typ, tag } or { problem }],
--        parts: [{ typ, images: [{ src, alt }], listings: [{ text, language }] } or { problem }] }
--
-- Formulas, images and code blocks stand in the Typst text as marks (private-use character, letter, number, private-use
-- character) which the caller replaces, because it knows which of them can be printed.

local here = arg[0]:match("^(.*[/\\])") or ""
local convert = dofile(here .. "formulas.lua").convert
local OPEN, CLOSE = "\u{E000}", "\u{E001}"
local MARK = OPEN .. "(%a)(%d+)" .. CLOSE

local function read_json(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read("a")
  file:close()
  return pandoc.json.decode(text, false)
end

local input = read_json(arg[1])

-- Every pandoc.read here ends with `nil, {}`: the reader runs in pandoc's sandbox, with no files and no network.

local function typst(text) return pandoc.RawInline("typst", text) end

-- What looks like a formula inside code or an address is not one: the text comes back as it was.
local function restored(text)
  return (text:gsub(MARK, function(_, number)
    return input.formulas[tonumber(number) + 1].source
  end))
end

-- Typst breaks no unbroken run, so a long one gets places to break at (U+200B, no width).
local function breakable(text)
  return (text:gsub("%S+", function(run)
    if not utf8.len(run) or utf8.len(run) <= 40 or run:find(OPEN, 1, true) then return nil end
    local out = {}
    for _, code in utf8.codes(run) do
      out[#out + 1] = utf8.char(code) .. (#out % 20 == 19 and "\u{200B}" or "")
    end
    return table.concat(out)
  end))
end

local INLINE = { b = "strong", strong = "strong", i = "emph", em = "emph", u = "underline", sub = "sub", sup = "super",
                 s = "strike", del = "strike", strike = "strike", mark = "highlight", kbd = "kbd", code = "kbd", tt = "kbd" }

local function tag_of(element, kind)
  if element.t ~= kind or element.format ~= "html" then return nil end
  local slash, name = element.text:match("^%s*<(/?)%s*(%a+%d*)")
  return name and name:lower(), slash == "/"
end

-- <b>, <sub> and their like become functions when both ends stand in the same paragraph.
local function paired_tags(inlines)
  local open = {}
  for i, element in ipairs(inlines) do
    local name, closes = tag_of(element, "RawInline")
    if name and INLINE[name] and not closes then
      open[#open + 1] = { name = name, at = i }
    elseif name and INLINE[name] and #open > 0 and open[#open].name == name then
      inlines[table.remove(open).at] = typst("#" .. INLINE[name] .. "[")
      inlines[i] = typst("];")
    end
  end
  return inlines
end

local function escaped(text) return (text:gsub("[\\#%[%]$*_`<>@~]", "\\%0")) end

-- <details> opens in one block and closes in another; what is unfolded on the screen is set apart in print.
local function unfolded(blocks)
  local open = {}
  for i, block in ipairs(blocks) do
    local name, closes = tag_of(block, "RawBlock")
    if name == "details" and not closes and not block.text:find("</details>", 1, true) then
      open[#open + 1] = i
    elseif name == "details" and closes and #open > 0 then
      local at = table.remove(open)
      local summary = pandoc.utils.stringify(pandoc.read(blocks[at].text, "html", nil, {}))
      blocks[at] = pandoc.RawBlock("typst", "#details[" .. escaped(summary) .. "][")
      blocks[i] = pandoc.RawBlock("typst", "]")
    end
  end
  return blocks
end

local function filter(part)
  local function image(src, alt)
    part.images[#part.images + 1] = { src = restored(src), alt = alt }
    return typst(OPEN .. "i" .. #part.images - 1 .. CLOSE)
  end
  return {
    traverse = "topdown",
    Blocks = unfolded,
    Inlines = paired_tags,
    Header = function(header) header.identifier = "" return header end,
    Str = function(str) return pandoc.Str(breakable(str.text)) end,
    Code = function(code) return pandoc.Code(breakable(restored(code.text))) end,
    CodeBlock = function(code)
      part.listings[#part.listings + 1] = { text = restored(code.text), language = code.classes[1] or "" }
      return pandoc.RawBlock("typst", OPEN .. "l" .. #part.listings - 1 .. CLOSE)
    end,
    Image = function(element) return image(element.src, pandoc.utils.stringify(element.caption)) end,
    Link = function(link)
      if link.target:sub(1, 1) == "#" or link.target == "" then return link.content end
      link.target = restored(link.target)
      return link
    end,
    RawInline = function(raw)
      if raw.format ~= "html" then return nil end
      local name = tag_of(raw, "RawInline")
      if name == "br" then return pandoc.LineBreak() end
      local src = name == "img" and raw.text:match("[sS][rR][cC]%s*=%s*[\"']?([^\"'%s>]+)")
      return src and image(src, raw.text:match("[aA][lL][tT]%s*=%s*\"([^\"]*)\"") or "") or {}
    end,
    RawBlock = function(raw)
      if raw.format ~= "html" then return nil end
      return pandoc.read(raw.text, "html", nil, {}).blocks:walk(filter(part))
    end,
    Table = function(element)
      -- A table of pictures has an empty head, which Markdown cannot leave out.
      local is_empty = true
      for _, row in ipairs(element.head.rows) do
        for _, cell in ipairs(row.cells) do is_empty = is_empty and #cell.contents == 0 end
      end
      if is_empty then element.head.rows = {} end
      return element
    end,
    Div = function(div) return div.content end,
    Span = function(span) return span.content end,
  }
end

local function convert_part(job)
  local part = { images = pandoc.List(), listings = pandoc.List() }
  local ok, result = pcall(function()
    return pandoc.write(pandoc.read(job.text, job.format, nil, {}):walk(filter(part)), "typst", { wrap_text = "none" })
  end)
  if not ok then return { problem = tostring(result) } end
  part.typ = result
  return part
end

local output = { formulas = pandoc.List(), parts = pandoc.List() }
for _, formula in ipairs(input.only_parts and {} or input.formulas) do output.formulas:insert(convert(formula, formula.macros)) end
for _, job in ipairs(input.parts) do output.parts:insert(convert_part(job)) end
local file = assert(io.open(arg[2], "wb"))
file:write(pandoc.json.encode(output))
file:close()
