"""Cloudflare's example of langchain: a prompt, a model, a parser in a chain."""
from shop_chain.prompts import PromptTemplate
from shop_chain.runnables import RunnableLambda
from workers import Response, WorkerEntrypoint


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        prompt = PromptTemplate.from_template("Complete the following sentence: I am a {profession} and ")

        async def llm(text):
            return {"text": text + "I like " + self.env.MESSAGE}
        chain = prompt | RunnableLambda(llm) | RunnableLambda(lambda said: said["text"])
        return Response(await chain.ainvoke({"profession": "electrician"}))
