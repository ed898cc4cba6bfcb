"""The training page, and the server around it: `streamlit run app.py`."""

import streamlit as st

from gruviz.ui import server, train

if __name__ == "__main__":  # Streamlit runs this file as the page
    train.page()
else:  # and imports it once as the server
    app = st.App(
        __file__, lifespan=server.lifespan, routes=server.ROUTES, middleware=server.MIDDLEWARE
    )
