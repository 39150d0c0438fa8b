"""A prompt's template, in a plain handler."""
from js import Response
from shop_chain.prompts import PromptTemplate


async def on_fetch(request, env):
    prompt = PromptTemplate.from_template("Complete the following sentence: I am a {profession} and ")
    return Response.new(prompt.format(profession="electrician"))
